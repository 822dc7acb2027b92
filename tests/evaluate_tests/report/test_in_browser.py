"""The page in Debian's Chromium, offline: it fits, it has two themes, and nothing in it runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluate.report import save_report
from tests.evaluate_tests.report import browser
from tests.evaluate_tests.report.hostile import HOSTILE
from tests.evaluate_tests.report.sample import hostile, realistic

REASON = browser.why_none()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
]
REVIEW = (
    "<script>document.title='x'</script><img src=x onerror=\"document.title='x'\">"
    "<iframe src='https://example.com'></iframe> \u202ekcab " + "unbreakable" * 30
)
_NARROW = """return [...document.querySelectorAll('body *')]
  .filter(e => !e.closest('.scroll') && !e.closest('.skip'))
  .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML)"""
_PICTURES = """return [...document.images].map(
  i => [i.complete, i.naturalWidth, i.currentSrc === i.src, i.getBoundingClientRect().width])"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "localhost,127.0.0.1")  # the driver is a server on this machine
        with browser.offline_browser(tmp_path_factory.mktemp("profile")) as made:
            yield made


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    save_report(realistic(REVIEW), folder)
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def hostile_address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("hostile")
    texts = [one.text for name, one in HOSTILE.items() if name != "surrogate"]
    save_report(hostile(REVIEW + "".join(texts)), folder)
    return (folder / "report.html").as_uri()


def _has(driver: Any, selector: str) -> bool:
    return bool(driver.execute_script("return document.querySelector(arguments[0])", selector))


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_fits_in_both_themes(
    driver: Any, address: str, width: int, tmp_path: Path
) -> None:
    backgrounds = []
    for scheme in ("light", "dark"):
        browser.set_view(driver, width, scheme)
        driver.get(address)
        assert driver.execute_script("return document.documentElement.scrollWidth") == width
        assert driver.execute_script(_NARROW) == []
        pictures = driver.execute_script(_PICTURES)
        assert len(pictures) == 6
        assert all(complete and natural > 0 for complete, natural, *_ in pictures)
        assert {is_light for *_, is_light, _ in pictures} == {scheme == "light"}
        backgrounds.append(
            driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        )
        assert driver.save_screenshot(str(tmp_path / f"{width}-{scheme}.png"))
    assert backgrounds == ["rgb(250, 249, 247)", "rgb(20, 23, 26)"]
    assert driver.get_log("browser") == []


def test_the_first_column_stays_when_a_table_is_scrolled(driver: Any, address: str) -> None:
    browser.set_view(driver, 360, "light")
    driver.get(address)
    left, width, room = driver.execute_script(
        """const box = document.querySelector('.table .scroll'); box.scrollLeft = 200;
        const head = box.querySelector('tbody th').getBoundingClientRect();
        return [head.left - box.getBoundingClientRect().left, head.width, box.scrollLeft]"""
    )
    assert room == 200
    assert left == pytest.approx(1, abs=0.5)  # the box has a border of one pixel
    assert width < 180


def test_the_contents_stay_beside_the_text_on_a_wide_screen(driver: Any, address: str) -> None:
    top = "window.scrollTo({top: 3000, behavior: 'instant'});"
    top += "return document.querySelector('nav').getBoundingClientRect().top"
    for width, is_beside in ((1280, True), (768, False)):
        browser.set_view(driver, width, "light")
        driver.get(address)
        assert (driver.execute_script(top) > 0) is is_beside


@pytest.mark.parametrize("which", ["address", "hostile_address"])
def test_no_script_ran_and_nothing_was_fetched(
    driver: Any, which: str, request: pytest.FixtureRequest
) -> None:
    browser.set_view(driver, 360, "light")
    driver.get(request.getfixturevalue(which))
    assert driver.execute_script("return document.documentElement.scrollWidth") == 360
    assert driver.title not in ("", "x")
    for selector in ("script", "iframe", "[onerror]", "[onmouseover]", "link", "main b", "svg"):
        assert not _has(driver, selector)
    fetched = driver.execute_script("return performance.getEntriesByType('resource')")
    assert [entry["name"] for entry in fetched] == []  # pictures within the page do not count
    assert driver.get_log("browser") == []


def test_text_from_right_to_left_does_not_turn_the_page(driver: Any, address: str) -> None:
    browser.set_view(driver, 768, "light")
    driver.get(address)
    direction = "return getComputedStyle(document.querySelectorAll(arguments[0])[%d]).direction"
    assert driver.execute_script(direction % 2, "blockquote") == "rtl"
    assert driver.execute_script(direction % 2, ".example dl") == "ltr"
    assert driver.execute_script(direction % 0, "body") == "ltr"


def test_the_skip_link_comes_first_and_shows_itself(driver: Any, address: str) -> None:
    browser.set_view(driver, 768, "light")
    driver.get(address)
    hidden = "return document.querySelector('.skip').getBoundingClientRect().bottom"
    assert driver.execute_script(hidden) < 0
    key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    for kind in ("keyDown", "keyUp"):
        driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, **key})
    focused = (
        "const e = document.activeElement; return [e.className, e.getBoundingClientRect().top]"
    )
    assert driver.execute_script(focused) == ["skip", 0]
