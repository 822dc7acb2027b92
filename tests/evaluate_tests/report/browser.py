"""Debian's Chromium without a network: a page in it at a width and in a colour scheme."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def why_none() -> str | None:
    """Say in words which executable is missing, or None where there is a browser and a driver."""
    if shutil.which("chromedriver") is None:
        return "no chromedriver on the PATH (Debian: chromium-driver)"
    if _browser() is None:
        return f"none of {', '.join(_BROWSERS)} on the PATH (Debian: chromium)"
    return None


@contextmanager
def offline_browser(profile: Path) -> Iterator[Any]:
    """Give a headless browser that reaches no network; its profile lies in the folder given."""
    options = Options()
    options.binary_location = _browser() or ""
    for argument in (
        "--headless=new",
        "--no-sandbox",  # else it does not start as root, as in a container
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--hide-scrollbars",  # else they take a part of the width
        "--no-proxy-server",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # The driver is given, so that Selenium does not look for one on the network.
    service = Service(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        yield driver
    finally:
        driver.quit()


def set_view(driver: Any, width: int, scheme: str) -> None:
    """Set the width in CSS pixels and the colour scheme ("light", "dark")."""
    view = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def _browser() -> str | None:
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)
