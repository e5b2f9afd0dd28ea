"""Makes one image of a kernel module, and refuses to make a wrong one.

    kernel_image.py ptx   --source K.cu --include DIR --arch 35 --isa 32 --output K.ptx --depfile K.d
    kernel_image.py cubin --ptxas PTXAS --toolkit 11 --arch 80 --source K.ptx --output K.cubin

PTX comes from zig's clang (the ziglang package of the Python that runs this), device code only, without CUDA's headers.
A cubin comes from NVIDIA's ptxas; its ELF header must be that of the toolkit generation it claims to be of, because
drivers before CUDA 13 load only the older one. Beside each OUTPUT lies OUTPUT.z, which is what gets embedded: eight bytes of
size, least significant first, then the image in zlib's format. Five sixths of a megabyte and a half go away by that.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import zlib

EM_CUDA = 190
# Generation -> (OS/ABI, ABI version) bytes of e_ident.
ELF_IDENT = {11: (0x33, 7), 13: (0x41, 8)}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}{done.stderr}kernel_image: failed: {' '.join(map(str, command))}")


def without_comments(ptx):
    """Less to embed: no comments, no indentation, no empty lines."""
    lines = (re.sub(r"\s*//.*", "", line).strip() for line in ptx.splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def pack(output, image):
    pathlib.Path(f"{output}.z").write_bytes(len(image).to_bytes(8, "little") + zlib.compress(image, 9))


def make_ptx(options):
    run([sys.executable, "-m", "ziglang", "clang", "-std=c++20", "-Wall", "-Wextra", "-Werror",
         f"-I{options.include}", "-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib",
         "--cuda-path=/nonexistent", f"--cuda-gpu-arch=sm_{options.arch}", f"--cuda-feature=+ptx{options.isa}", "-O3",
         # Results are compared bit for bit with the host's: no fused multiply-add but where the source says so.
         "-ffp-contract=off", "-MD", "-MF", options.depfile, "-MT", options.output,
         "-S", options.source, "-o", options.output])
    path = pathlib.Path(options.output)
    ptx = without_comments(path.read_text())
    isa, arch = (int(x) for x in (options.isa, options.arch))
    for wanted in (f".version {isa // 10}.{isa % 10}\n", f".target sm_{arch}\n"):
        if wanted not in ptx:
            sys.exit(f"kernel_image: {path} has no '{wanted.strip()}'")
    path.write_text(ptx)
    pack(path, ptx.encode() + b"\0")  # the driver takes it as a C string


def make_cubin(options):
    run([options.ptxas, "-O3", f"-arch=sm_{options.arch}", options.source, "-o", options.output])
    image = pathlib.Path(options.output).read_bytes()
    header = image[:20]
    ident = tuple(header[7:9])
    machine = int.from_bytes(header[18:20], "little")
    if header[:4] != b"\x7fELF" or machine != EM_CUDA or ident != ELF_IDENT[options.toolkit]:
        pathlib.Path(options.output).unlink()
        sys.exit(f"kernel_image: {options.ptxas} is not of CUDA {options.toolkit}: its ELF has OS/ABI {ident[0]:#x},"
                 f" ABI version {ident[1]}, machine {machine}")
    pack(options.output, image)


def main():
    parser = argparse.ArgumentParser()
    kinds = parser.add_subparsers(dest="kind", required=True)
    ptx, cubin = kinds.add_parser("ptx"), kinds.add_parser("cubin")
    for kind in (ptx, cubin):
        for name in ("source", "output", "arch"):
            kind.add_argument(f"--{name}", required=True)
    for name in ("include", "isa", "depfile"):
        ptx.add_argument(f"--{name}", required=True)
    cubin.add_argument("--ptxas", required=True)
    cubin.add_argument("--toolkit", type=int, choices=ELF_IDENT, required=True)
    options = parser.parse_args()
    {"ptx": make_ptx, "cubin": make_cubin}[options.kind](options)


main()
