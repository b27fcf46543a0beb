import time
from pathlib import Path
import pytest
from tests.life_of_a_device.life import begun
pytestmark=[pytest.mark.integration, pytest.mark.timeout(1200), pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
def test_born(tmp_path: Path, small_drive: Path) -> None:
    with begun(tmp_path, small_drive) as life:
        began = time.monotonic()
        try:
            life.is_born()
        except BaseException:
            print(life.vehicle.console())
            try: print(life.vehicle.run("journalctl","--no-pager","-n","80").stdout)
            except BaseException as e: print(e)
            raise
        print("BORN", time.monotonic()-began)
