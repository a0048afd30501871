# dlexp on the CPU, without CUDA's 4 GB of libraries:
#   docker build -t dlexp .
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" dlexp train
FROM python:3.12-slim

RUN pip install --no-cache-dir uv==0.13.9

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY dlexp dlexp
COPY cli cli
COPY conf conf
# uv takes torch from where its builds without CUDA are
RUN uv pip install --system --no-cache --torch-backend=cpu '.[search]'

# runs go to the mounted folder; what libraries remember goes where any user may write
ENV HOME=/tmp LOGNAME=dlexp MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /work
USER 1000
ENTRYPOINT ["dlexp"]
CMD ["--help"]
