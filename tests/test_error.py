"""Errors carry what the command line prints and exits with."""

import pytest

from dlexp.error import (
    ConfigError,
    DataError,
    DlexpError,
    EnvironmentFault,
    RunError,
    did_you_mean,
    error_line,
    first_line,
    is_broken_device,
    is_out_of_memory,
    name_fault_of_device,
)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (DlexpError, "run", 1),
        (ConfigError, "config", 2),
        (DataError, "data", 2),
        (RunError, "run", 2),
        (EnvironmentFault, "environment", 1),
    ],
)
def test_kinds_and_codes(error, kind, code):
    assert issubclass(error, DlexpError)
    assert (error.kind, error.exit_code) == (kind, code)


def test_did_you_mean():
    assert did_you_mean("dpeth", ["depth", "width"]) == "; did you mean depth?"
    assert did_you_mean("zzz", ["depth", "width"]) == ""
    assert did_you_mean("", []) == ""


def test_an_operator_without_a_deterministic_form_is_named_with_the_cure():
    torchs = RuntimeError(
        "cumsum_cuda_kernel does not have a deterministic implementation, but you set "
        "'torch.use_deterministic_algorithms(True)'."
    )
    assert name_fault_of_device(torchs) == (
        "trainer.deterministic: got true; cumsum_cuda_kernel has no such form here; choose another layer, or false"
    )
    assert "out of memory" in str(name_fault_of_device(MemoryError()))
    assert name_fault_of_device(RuntimeError("shapes differ")) is None


def test_a_machine_that_lacks_what_torch_compiles_with_is_told():
    kind = type("InductorError", (RuntimeError,), {"__module__": "torch._inductor.exc"})  # torch's, without its second
    assert name_fault_of_device(kind("InvalidCxxCompiler: No working C++ compiler found\nmore")) == (
        "trainer.compile: got true; torch cannot compile it here (InvalidCxxCompiler: No working C++ compiler found); "
        "false trains without"
    )


class AcceleratorError(RuntimeError):
    """What torch calls an error that CUDA reports."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
        AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
    ],
    ids=lambda error: str(error)[:30],
)
def test_every_lack_of_memory_is_known_and_breaks_no_device(error):
    assert is_out_of_memory(error)
    assert not is_broken_device(error)


@pytest.mark.parametrize(
    ("error", "is_broken"),
    [
        (AcceleratorError("CUDA error: an illegal memory access was encountered"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("CUDA error: says a user's own code"), False),
    ],
)
def test_a_device_that_failed_is_told_from_a_program_that_did(error, is_broken):
    assert is_broken_device(error) is is_broken
    told = f"the device failed ({error}); begin again, on another by trainer.device if it fails again"
    assert name_fault_of_device(error) == (told if is_broken else None)


def test_torch_s_page_on_memory_is_one_line():
    told = (
        "CUDA out of memory. Tried to allocate 2.00 MiB. GPU 1 has a total capacity of 123.00 MiB of which 1024.00 KiB"
    )
    assert first_line(RuntimeError(told)) == "CUDA out of memory. Tried to allocate 2.00 MiB."
    assert first_line(RuntimeError("a GPU 1\nmore")) == "a GPU 1"


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        (
            "model.depth: got 51; choose one of 18, 34, 50",
            {"key": "model.depth", "got": "51", "allowed": "choose one of 18, 34, 50"},
        ),
        (
            "model: got resnte; choose one of nin, resnet; did you mean resnet?",
            {"key": "model", "got": "resnte", "allowed": "choose one of nin, resnet", "suggestion": "resnet"},
        ),
        (
            "unknown key model.dpeth; did you mean model.depth? model=densenet|resnet has it",
            {"key": "model.dpeth", "suggestion": "model.depth"},
        ),
        ("unknown key a.b: it has no effect here; model=mlp has it", {"key": "a.b"}),
        ("unknown key nosuch.key; see `dlexp options`", {"key": "nosuch.key"}),
        (
            "a.csv, row 17, column age: got 'a; b'; a number is needed",
            {"key": "a.csv, row 17, column age", "got": "'a; b'", "allowed": "a number is needed"},
        ),
        ("zzz: got no runs in runs", {"key": "zzz", "got": "no runs in runs"}),
        ("out of memory; choose a smaller trainer.batch_size", {}),
    ],
)
def test_the_parts_of_a_message(message, parts):
    assert error_line("config", message) == {"kind": "config", "message": message, **parts}
