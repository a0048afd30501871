from PIL import Image

from dlexp.data.picture.flat import say_flat


def test_frames_and_transparency_are_told(tmp_path):
    plain, clear = Image.new("RGB", (4, 4)), Image.new("RGBA", (4, 4), (9, 9, 9, 0))
    plain.save(tmp_path / "plain.png")
    clear.save(tmp_path / "clear.png")
    clear.save(tmp_path / "clear.tga")
    frames = [Image.new("L", (4, 4), k) for k in (0, 9)]
    frames[0].save(tmp_path / "two.tif", save_all=True, append_images=frames[1:])
    assert say_flat(tmp_path, ["plain.png"]) == []
    assert say_flat(tmp_path, ["plain.png", "clear.png", "clear.tga", "two.tif"]) == [
        "1 picture of several frames or pages (two.tif, ...): the first of each is taken",
        "2 pictures with an alpha channel (clear.png, ...): laid over white",
    ]
