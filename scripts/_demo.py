# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole of Wegewart on one machine: broker, depot, vehicle, on a rendered drive or on your own recording.

Die ganze Kette auf einem Rechner: Broker, Betriebshof, Fahrzeug, mit einer gerechneten oder einer eigenen Fahrt.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
VAR = ROOT / "var" / "demo"
VEHICLE = "demo-1"

sys.path.insert(0, str(ROOT / "scripts"))
from _broker import Address, BrokerMissingError, broker  # noqa: E402

from edge.errors import WegewartError  # noqa: E402
from edge.positioning.tracks import read_track  # noqa: E402


def main() -> int:
    """Entry point; 0 only if everything that was confirmed is shown."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does, with depot and broker
    sys.stdout.reconfigure(line_buffering=True)  # the page's address has to be there at once, in a log, too
    VAR.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            return _demo(options, stack)
        except KeyboardInterrupt:
            print()
            return 0
        except DemoError as error:
            print(f"demo: {error}", file=sys.stderr)
            return error.exit_code
        except BrokerMissingError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 5


class DemoError(RuntimeError):
    """One line for the person at the terminal."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.split("\n")[0])
    parser.add_argument("source", nargs="?", type=Path, help="your own recording: folder of pictures or video")
    parser.add_argument("--track", type=Path, help="its track: GPX, NMEA log or CSV")
    parser.add_argument("--calibration", type=Path, help="its camera's calibration (TOML)")
    parser.add_argument("--once", action="store_true", help="no page to look at: run to the end, print the summary")
    parser.add_argument("--km", type=float, default=0.5, help="length of the rendered drive (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the rendered drive (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port of the page (default: a free one)")
    parser.add_argument("--pace", type=float, help="times real speed; 0: as fast as judged (default: 1, with --once 0)")
    parser.add_argument("--broker", choices=["mosquitto", "iotcore"], help="default: mosquitto where it is installed")
    return parser.parse_args()


def _demo(options: argparse.Namespace, stack: ExitStack) -> int:
    source = (options.source or _rendered(options)).absolute()
    if not source.exists():
        raise DemoError(f"{source}: there is no such folder or video", 3)
    work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="run-", dir=VAR)))
    link = stack.enter_context(broker(work / "broker", kind=options.broker))
    print(f"broker   {link.kind}, mqtt://{link.host}:{link.port}, MQTT {link.protocol}")
    page = stack.enter_context(_depot(work, link, options.port, options.track or source / "track.csv"))
    print(f"depot    {page}")
    if not options.once:
        print("         open this address: defects appear while the drive runs / diese Adresse im Browser öffnen")
    summary = _drive(options, source, work, link, page)
    shown = _shown(page)
    agreed = _report(summary, shown)
    if not options.once:
        print(f"The page stays at {page} until you press Ctrl-C / Die Seite bleibt bis Strg-C.")
        threading.Event().wait()
    return 0 if agreed else 1


def _rendered(options: argparse.Namespace) -> Path:
    """The default drive, rendered once for each length and seed."""
    drive = VAR / f"drive-seed{options.seed}-{options.km:g}km"
    if (drive / "truth.json").is_file():
        return drive
    print(
        f"render   a test drive of {options.km:g} km, seed {options.seed} (once) / Testfahrt wird gerechnet ...",
        flush=True,
    )
    fresh = drive.with_name(f"{drive.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [BIN / "wegewart-edge", "simulate", fresh, "--seed", str(options.seed), "--km", str(options.km)]
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        raise DemoError("the test drive could not be rendered", done.returncode)
    shutil.rmtree(drive, ignore_errors=True)
    fresh.rename(drive)
    return drive


@contextmanager
def _depot(work: Path, link: Address, port: int, track: Path) -> Iterator[str]:
    """The depot as its own process; yields the page's address. `track`: where the road of the test drive runs."""
    config = work / "depot.toml"
    config.write_text(
        f'[broker]\nhost = "{link.host}"\nport = {link.port}\nprotocol = "{link.protocol}"\n'
        f'[data]\nfolder = "depot"\n[people]\nlogin = "off"\n[http]\nport = {port}\n',
        encoding="utf-8",
    )
    _import_road(work, config, track)
    log = (work / "depot.log").open("w")
    process = subprocess.Popen(
        [BIN / "wegewart-depot", "serve", "--config", config], stdout=subprocess.PIPE, stderr=log, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if "http://" not in line:
            raise DemoError(f"the depot did not start: {(work / 'depot.log').read_text().strip() or 'no reason given'}")
        yield line[line.index("http://") :].strip()
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        log.close()


def _import_road(work: Path, config: Path, track: Path) -> None:
    """A city imports its network of roads; here it is the one road of the drive, so that the page can show coverage."""
    try:
        fixes = read_track(track).fixes
    except WegewartError:
        return  # none there; the vehicle says what is wrong with one that cannot be read
    path = [[fix.lon, fix.lat] for fix in fixes[:: max(1, len(fixes) // 50)]]
    if len(path) < 2:
        return
    road = {
        "type": "Feature",
        "properties": {"name": "Teststraße", "highway": "secondary", "district": "Testgelände"},
        "geometry": {"type": "LineString", "coordinates": path},
    }
    file = work / "roads.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [road]}), encoding="utf-8")
    done = subprocess.run(
        [BIN / "wegewart-depot", "roads", "import", "--config", config, file],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise DemoError(f"the depot did not take the road: {done.stderr.strip()}")


def _drive(options: argparse.Namespace, source: Path, work: Path, link: Address, page: str) -> dict[str, Any]:
    """Run the vehicle's daemon on the recording; returns its summary."""
    quoted = json.dumps
    lines = [
        f"vehicle = {quoted(VEHICLE)}",
        "[camera]",
        'kind = "replay"',
        f"source = {quoted(str(source))}",
        f"pace = {float((0 if options.once else 1) if options.pace is None else options.pace)}",
        *([f"calibration = {quoted(str(options.calibration.absolute()))}"] if options.calibration else []),
        "[position]",
        'kind = "replay"',
        *([f"track = {quoted(str(options.track.absolute()))}"] if options.track else []),
        "[delivery]",
        f"host = {quoted(link.host)}",
        f"port = {link.port}",
        f"protocol = {quoted(link.protocol)}",
        f"data = {quoted(str(work / 'vehicle'))}",
        "drain_s = 60.0",
        "health_s = 1.0",
    ]
    config = work / "vehicle.toml"
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    log_path = work / "vehicle.log"
    with log_path.open("w") as log:
        process = subprocess.Popen(
            [BIN / "wegewart-edge", "run", "--config", config], stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            while process.poll() is None:
                _progress(page)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)
        finally:
            process.terminate()
            process.wait(90)
    if sys.stdout.isatty():
        print()
    output = process.stdout.read() if process.stdout else ""
    told = [line for line in log_path.read_text().splitlines() if line]
    for line in told:
        if line.startswith(("WARNING", "ERROR", "wegewart-edge:")):
            print(f"vehicle  {line}", file=sys.stderr)
    if process.returncode != 0:
        raise DemoError(f"the vehicle ended: {told[-1] if told else 'no reason given'}", process.returncode)
    return dict(json.loads(output.splitlines()[-1]))


def _progress(page: str) -> None:
    """One line that says where the drive is, as the depot sees it."""
    if not sys.stdout.isatty():
        return
    with suppress(OSError, ValueError):
        depot = _get(page, "api/summary")
        vehicles = _get(page, "api/vehicles")["features"]
        counters = vehicles[0]["properties"].get("counters") or {} if vehicles else {}
        print(
            f"\rdrive    {counters.get('frames_seen', 0)} frames seen, {counters.get('frames_judged', 0)} judged, "
            f"{depot['cases']} defects on the map ",
            end="",
            flush=True,
        )


def _shown(page: str) -> dict[str, Any]:
    """What the page's own API serves."""
    summary = _settled(page)
    features = _get(page, "api/cases.geojson")["features"]
    shown = len({feature["id"] for feature in features})
    sightings = sum(feature["properties"]["sightings"] for feature in features)
    pictures = sum(_opens(feature) for feature in features)
    return {**summary, "shown": shown, "features": len(features), "sightings": sightings, "pictures_shown": pictures}


def _settled(page: str) -> dict[str, Any]:
    """The figures, counted after the drive's end, once the depot has made cases of all that it was sent."""
    now_utc = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    until_s = time.monotonic() + 60.0
    while True:
        summary = dict(_get(page, "api/summary"))
        if (summary["as_of_utc"] >= now_utc and not summary["pending"]) or time.monotonic() > until_s:
            return summary
        time.sleep(0.1)


def _opens(feature: dict[str, Any]) -> bool:
    """Whether a case's picture is served."""
    address = feature["properties"].get("picture")
    if address is None:
        return False
    with suppress(OSError), urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own page
        return bool(answer.read(2) == b"\xff\xd8")
    return False


def _report(vehicle: dict[str, Any], depot: dict[str, Any]) -> bool:
    """Print the summary; whether all numbers agree."""
    rows = [
        ("frames seen", vehicle["frames_seen"]),
        ("frames judged", vehicle["frames_judged"]),
        ("observations confirmed", vehicle["observations_confirmed"]),
        ("records confirmed (with coverage)", vehicle["events_confirmed"]),
        ("records published", vehicle["events_published"]),
        ("records acknowledged by the depot", vehicle["events_acknowledged"]),
        ("records stored by the depot", depot["events"]),
        ("pictures acknowledged", vehicle["pictures_acknowledged"]),
        ("pictures stored by the depot", depot["pictures"]),
        ("observations with a picture that opens", depot["pictures_shown"]),
        ("observations stored by the depot", depot["observations"]),
        ("shown as cases", depot["shown"]),
    ]
    print("summary")
    for name, value in rows:
        print(f"  {name:38} {value}")
    agreed = (
        vehicle["frames_judged"] > 0
        and vehicle["events_confirmed"]
        == vehicle["events_published"]
        == vehicle["events_acknowledged"]
        == depot["events"]
        and vehicle["observations_confirmed"] == depot["observations"] == depot["sightings"]
        and vehicle["pictures_acknowledged"] == depot["pictures"]
        and depot["pictures_shown"] == vehicle["observations_confirmed"]
        and depot["shown"] == depot["features"]
    )
    print("  all agree" if agreed else "  THESE DO NOT AGREE")
    return bool(agreed)


def _get(page: str, path: str) -> Any:
    with urllib.request.urlopen(page + path, timeout=10) as answer:  # noqa: S310 - our own page on loopback
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
