# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes signed updates of the Raspberry Pi's operating system, and cards with two systems (docs/os_update.md).

scripts/os-bundle keys FOLDER                                       an authority and a key that signs
scripts/os-bundle prepare ROOT --boot BOOT --ca FOLDER/ca.pem       put our files into a system's two trees
scripts/os-bundle bundle OUT --boot B --root R --version V --keys F a signed update; B and R are trees or images
scripts/os-bundle card OUT --boot B --root R                        a card's image, system A filled, B empty
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edge.os_update.control import COMPATIBLE
from edge.os_update.rauc import VERSION
from edge.os_update.slots import A, Doubt, addressed
from workshop.flash import bootfiles

PROJECT = Path(__file__).resolve().parents[1]
BOARD = PROJECT / "firmware_config/raspberry_pi"
OWN = BOARD / "os_update"
WORDS = OWN / "boot/cmdline_add.txt"
MIB = 1 << 20
SECTOR = 512
BOOT_MIB = 512
AUTHORITY_DAYS, SIGNER_DAYS = 7300, 3650
#: Debian's package of each program that is called.
PACKAGES = {
    "rauc": "rauc",
    "mksquashfs": "squashfs-tools",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "mkfs.ext4": "e2fsprogs",
    "sfdisk": "fdisk",
    "openssl": "openssl",
    "systemctl": "systemd",
    "systemd-sysusers": "systemd",
}


def main() -> int:
    """Entry point; the exit code."""
    options = _parser().parse_args()
    try:
        options.run(options)
    except (Doubt, OSError) as problem:
        print(f"os-bundle: {problem}", file=sys.stderr)
        return 1
    return 0


def keys(options: argparse.Namespace) -> None:
    """An authority, and a certificate by it that signs; only the authority's certificate goes onto devices."""
    folder: Path = options.folder
    folder.mkdir(mode=0o700, parents=True)
    ca, ca_key, request = folder / "ca.pem", folder / "ca.key", folder / "signer.csr"
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch"]
    name = "/O=Wegewart/CN=operating system"
    _run(*new, "-x509", "-days", AUTHORITY_DAYS, "-subj", f"{name} authority", "-keyout", ca_key, "-out", ca)
    _run(*new, "-subj", f"{name} signer", "-keyout", folder / "signer.key", "-out", request)
    sign = ["openssl", "x509", "-req", "-days", SIGNER_DAYS, "-in", request, "-CA", ca, "-CAkey", ca_key]
    extensions = folder / "signer.ext"
    extensions.write_text("basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n", encoding="ascii")
    _run(*sign, "-CAcreateserial", "-extfile", extensions, "-out", folder / "signer.pem")
    for path in (request, extensions, folder / "ca.srl"):
        path.unlink(missing_ok=True)
    for path in folder.glob("*.key"):
        path.chmod(0o600)
    print(f"{folder}: ca.pem goes onto devices, signer.* sign; lock ca.key away, off this computer")


def prepare(options: argparse.Namespace) -> None:
    """Put everything of ours into the tree of a Raspberry Pi OS root whose packages are installed already."""
    root: Path = options.root
    if not (root / "etc/os-release").exists():
        raise Doubt(f"{root} is no root of a system (no etc/os-release)")
    for source in (BOARD, OWN):
        for name in ("etc", "usr"):
            _copy(source / name, root / name)
    _copy(PROJECT / "systemd", root / "etc/systemd/system", only="wegewart-*", skip="wegewart-depot*")
    _copy(PROJECT / "systemd/sysusers.d", root / "usr/lib/sysusers.d", only="wegewart*")
    code = root / "usr/lib/wegewart-os/edge"
    _copy(PROJECT / "edge/os_update", code / "os_update", only="*.py")
    (code / "__init__.py").write_bytes(b"")
    shutil.copyfile(options.ca, root / "etc/rauc/wegewart-os-ca.pem")
    fstab, ours = root / "etc/fstab", (BOARD / "usr/share/wegewart/data.fstab").read_text(encoding="utf-8")
    # Root and boot partition are named by cmdline.txt: the same tree serves both systems.
    fstab.write_text(f"proc /proc proc defaults 0 0\n{ours}", encoding="utf-8")
    (root / "data").mkdir(exist_ok=True)
    command = root / "usr/sbin/wegewart-os"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.unlink(missing_ok=True)
    command.symlink_to("../lib/wegewart-os/wegewart-os")
    _run("systemd-sysusers", f"--root={root}", "wegewart.conf")
    # What a vehicle switches on and off, and nothing else.
    _run("systemctl", f"--root={root}", "--quiet", "preset", *_units(root))
    # Empty: a new one at each boot. "uninitialized", as images have it, would make each boot the first.
    (root / "etc/machine-id").write_bytes(b"")
    state = root / "var/lib/wegewart-root"
    state.mkdir(parents=True, exist_ok=True)
    (state / "readonly").touch()
    _prepare_boot(options.boot)
    print(f"{root}, {options.boot}: ready for os-bundle bundle and card")


def _units(root: Path) -> list[str]:
    """The units that our presets name; one that is not there, or masked, is not asked for."""
    presets = [path.read_text(encoding="utf-8") for path in (root / "etc/systemd/system-preset").glob("*wegewart*")]
    patterns = re.findall(r"(?m)^(?:enable|disable) (\S+)", "\n".join(presets))
    folders = [root / place for place in ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")]
    files = [path for folder in folders for path in folder.glob("*.*") if path.is_file() and not path.is_symlink()]
    named = [path for path in files if any(path.match(one) for one in patterns) and "@." not in path.name]
    return sorted({path.name for path in named if "[Install]" in path.read_text(encoding="utf-8")})


def _prepare_boot(boot: Path) -> None:
    """The boot partition's tree: our config.txt beside the image's own, and the kernel's words for system A."""
    shutil.copyfile(BOARD / "boot/firmware/config.txt", boot / bootfiles.OWN)
    config, cmdline = boot / "config.txt", boot / "cmdline.txt"
    config.write_text(bootfiles.config_txt(config.read_text(encoding="utf-8")), encoding="utf-8")
    # The image's own root and data source are others.
    ours = ("root=", "rauc.slot=", "systemd.mount-extra=", "init=", "panic=", "ds=nocloud", "resize")
    kept = [word for word in cmdline.read_text(encoding="utf-8").split() if not word.startswith(ours)]
    words = dict.fromkeys([*kept, *bootfiles.words(WORDS.read_text(encoding="utf-8"))])
    cmdline.write_text(" ".join(words) + "\n", encoding="utf-8")


def bundle(options: argparse.Namespace) -> None:
    """A signed update."""
    if not VERSION.fullmatch(options.version):
        raise Doubt(f"version {options.version!r} is not year.month.day, as 2026.11.22 or 2026.11.22.1")
    if options.out.exists():
        raise Doubt(f"{options.out} is there already")
    with _workplace(options.out) as work:
        content = work / "content"
        content.mkdir()
        _boot_image(options.boot, content / "boot.img", options.boot_mib)
        _root_image(options.root, content / "root.ext4")
        manifest = (
            f"[update]\ncompatible={COMPATIBLE}\nversion={options.version}\n\n[bundle]\nformat={options.format}\n\n"
            "[image.bootfs]\nfilename=boot.img\n\n[image.rootfs]\nfilename=root.ext4\n"
        )
        (content / "manifest.raucm").write_text(manifest, encoding="ascii")
        folder: Path = options.keys
        signing = [f"--cert={folder / 'signer.pem'}", f"--key={folder / 'signer.key'}"]
        made = work / "made.raucb"
        _need("mksquashfs")  # rauc calls it
        _run("rauc", "bundle", *signing, content, made)
        _run("rauc", "info", f"--keyring={folder / 'ca.pem'}", made)
        made.replace(options.out)
    print(f"{options.out}: version {options.version}, {options.out.stat().st_size / MIB:.1f} MiB")


def card(options: argparse.Namespace) -> None:
    """A card's image. What it does not use is a hole in the file."""
    if options.out.exists():
        raise Doubt(f"{options.out} is there already")
    layout = options.layout.read_text(encoding="utf-8")
    starts = [int(start) for start in re.findall(r"(?m)^start=(\d+)", layout)]
    sizes = [int(size) for size in re.findall(r"(?m)^start=\d+, size=(\d+)", layout)]
    auto_mib, boot_mib = (size * SECTOR // MIB for size in sizes[:2])
    with _workplace(options.out) as work:
        image = work / "card.img"
        with image.open("wb") as file:
            file.truncate(starts[6] * SECTOR + options.data_mib * MIB)
        _run("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", image, text=layout)
        auto = _fat(work / "auto.img", auto_mib, "AUTOBOOT")
        _run("mcopy", "-i", auto, OWN / "boot/autoboot.txt", "::autoboot.txt")
        _boot_image(options.boot, work / "boot.img", boot_mib)
        _root_image(options.root, work / "root.ext4")
        if (work / "root.ext4").stat().st_size > sizes[3] * SECTOR:
            raise Doubt(f"the root needs {(work / 'root.ext4').stat().st_size / MIB:.0f} MiB, its partition has less")
        _run("mkfs.ext4", "-q", "-F", "-L", "wegewart-data", work / "data.ext4", f"{options.data_mib}M")
        for name, number in (("auto.img", 1), ("boot.img", 2), ("root.ext4", 5), ("data.ext4", 7)):
            _place(work / name, image, starts[number - 1] * SECTOR)
        image.replace(options.out)
    print(f"{options.out}: system A filled, B empty; write it with scripts/flash or any other program")


def _boot_image(source: Path, image: Path, mib: int) -> None:
    """The boot partition of a tree or an image, addressed to system A."""
    if source.is_dir():
        _fat(image, mib, "bootfs")
        _run("mcopy", "-s", "-i", image, *sorted(source.iterdir()), "::")
    else:
        shutil.copyfile(source, image)
    try:
        _check_boot(image)
    except Doubt as problem:
        raise Doubt(f"boot partition of {source}: {problem}; first: os-bundle prepare ROOT --boot BOOT") from problem


def _check_boot(image: Path) -> None:
    names = ("cmdline.txt", "config.txt", bootfiles.OWN)
    cmdline, config, _ = (_run("mcopy", "-n", "-i", image, f"::{name}", "-") for name in names)
    addressed(cmdline, A)
    missing = {*bootfiles.words(WORDS.read_text(encoding="utf-8"))} - {*cmdline.split()}
    if missing or f"include {bootfiles.OWN}" not in config.splitlines():
        raise Doubt(f"cmdline.txt has no {' '.join(sorted(missing))}" if missing else "config.txt lacks our include")


def _root_image(source: Path, image: Path) -> None:
    """The root of a tree or an image; with some room, the partition's is added on the device."""
    if not source.is_dir():
        shutil.copyfile(source, image)
        return
    used = sum(path.lstat().st_blocks * 512 for path in source.rglob("*") if not path.is_symlink())
    mib = used * 5 // 4 // MIB + 32
    _run("mkfs.ext4", "-q", "-F", "-L", "rootfs", "-d", source, image, f"{mib}M")


def _fat(image: Path, mib: int, label: str) -> Path:
    with image.open("wb") as file:
        file.truncate(mib * MIB)
    # Clusters of 4 KiB: autoboot.txt shares none of the card's blocks with anything else.
    _run("mkfs.vfat", "-F", 32 if mib > 256 else 16, "-s", 8 if mib >= 32 else 1, "-n", label, image)
    return image


def _place(part: Path, image: Path, offset: int) -> None:
    """Copy into the image; zeros stay holes."""
    with part.open("rb") as source, image.open("r+b") as target:
        while block := source.read(MIB):
            if block.strip(b"\0"):
                target.seek(offset)
                target.write(block)
            offset += len(block)


def _copy(source: Path, target: Path, *, only: str = "*", skip: str = "\0") -> None:
    """A folder's files; owner root, as on the device."""
    for path in sorted(source.rglob("*")):
        if path.is_dir() or not path.match(only) or path.match(skip) or "__pycache__" in path.parts:
            continue
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        place.chmod(0o755 if os.access(path, os.X_OK) else 0o644)


def _need(program: str) -> str:
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise Doubt(f"{program} is missing: sudo apt install {PACKAGES[program]}")
    return path


def _run(program: str, *arguments: object, text: str | None = None) -> str:
    """A program's output."""
    command = [_need(program), *map(str, arguments)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise Doubt(f"{program}: {lines[-1] if lines else f'exit {done.returncode}'}")
    return done.stdout


@contextlib.contextmanager
def _workplace(out: Path) -> Iterator[Path]:
    """Beside the result, so that it is moved there whole and at once."""
    with tempfile.TemporaryDirectory(prefix=".os-bundle-", dir=out.resolve().parent) as folder:
        yield Path(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/os-bundle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("keys", help="make an authority and a key that signs")
    one.add_argument("folder", type=Path)
    one.set_defaults(run=keys)
    one = commands.add_parser("prepare", help="put our files into the tree of a root")
    one.add_argument("root", type=Path)
    one.add_argument("--boot", type=Path, required=True, help="the tree of its boot partition")
    one.add_argument("--ca", type=Path, required=True, help="the authority's certificate")
    one.set_defaults(run=prepare)
    for name, run in (("bundle", bundle), ("card", card)):
        one = commands.add_parser(name)
        one.add_argument("out", type=Path)
        one.add_argument("--boot", type=Path, required=True, help="boot partition: a tree or a FAT image")
        one.add_argument("--root", type=Path, required=True, help="root: a tree or an ext4 image")
        one.set_defaults(run=run)
        if run is bundle:
            one.add_argument("--version", required=True, help="year.month.day, and .number for more than one a day")
            one.add_argument("--keys", type=Path, required=True, help="folder of `keys`")
            one.add_argument("--format", choices=("verity", "plain"), default="verity", help=argparse.SUPPRESS)
            one.add_argument("--boot-mib", type=int, default=BOOT_MIB, help=argparse.SUPPRESS)
        else:
            one.add_argument("--layout", type=Path, default=OWN / "layout.sfdisk", help="how it is divided")
            one.add_argument("--data-mib", type=int, default=64, help="of the data partition; it grows on the device")
    return parser


if __name__ == "__main__":
    sys.exit(main())
