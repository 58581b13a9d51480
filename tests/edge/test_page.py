"""The page in a real browser."""

import os
import shutil

import pytest

from tests import records
from thetahat.report import page
from thetahat.results.comparison import decode, encode

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no chromium on this machine, and CI=true")
        pytest.skip("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        running = tools.chromium.launch(executable_path=program, args=FLAGS)
        yield running
        running.close()


class Seen:
    """An opened page, with all that it said and asked for."""

    def __init__(self, browser, path, **options):
        self.complaints, self.requests, self.dialogs = [], [], []
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.goto(path.as_uri())
        self.page.wait_for_load_state()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


@pytest.fixture(params=list(records.RECORDS))
def written(request, tmp_path):
    path = tmp_path / "page.html"
    page.write(records.RECORDS[request.param](), path)
    return path


def phone_and_desk(seen, schemes=("light", "dark")):
    """Yield each width with the page at it, in each scheme: one page, not a new one for each."""
    for width in (390, 1280):
        seen.page.set_viewport_size({"width": width, "height": 900})
        for scheme in schemes:
            seen.page.emulate_media(color_scheme=scheme)
            yield width


def test_it_renders_asks_for_nothing_complains_of_nothing_and_fits(browser, written):
    with Seen(browser, written) as seen:
        for width in phone_and_desk(seen):
            assert seen.page.locator("h1").inner_text()
            assert seen.requests == [written.as_uri()]
            assert (seen.complaints, seen.dialogs) == ([], [])
            assert seen.page.locator("svg:visible").count() * 2 == seen.page.locator("svg").count()
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_hostile_name_does_not_execute_and_stands_as_text(browser, tmp_path):
    path = tmp_path / "page.html"
    page.write(records.hostile(), path)
    with Seen(browser, path) as seen:
        assert seen.page.title() != "taken"
        assert seen.page.evaluate("document.scripts.length") == 0
        assert seen.page.evaluate("document.images.length") == 0
        assert (seen.dialogs, seen.complaints) == ([], [])
        assert records.HOSTILE in seen.page.locator("#data").inner_text()


# In one call: a box at a time is a message to the browser and back.
BOXES = """() => [...document.querySelectorAll("svg")].filter(svg => svg.getClientRects().length).map(svg =>
    [svg, ...svg.querySelectorAll("text")].map(each => {
        const box = each.getBoundingClientRect();
        return {x: box.x, y: box.y, width: box.width, height: box.height};
    }))"""


def test_words_in_the_pictures_neither_overlap_nor_clip(browser, written):
    with Seen(browser, written) as seen:
        for _ in phone_and_desk(seen, ("light",)):
            for frame, *boxes in seen.page.evaluate(BOXES):
                for box in boxes:
                    assert box["x"] >= frame["x"] - 1
                    assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
                for k, one in enumerate(boxes):
                    assert not [other for other in boxes[k + 1 :] if overlap(one, other)]


def overlap(one, other):
    across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
    down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
    return across > 1 and down > 3


def test_further_measures_are_reached_from_the_top(browser, tmp_path):
    path = tmp_path / "page.html"
    record = records.several_measures()
    page.write(record, path)
    with Seen(browser, path) as seen:
        links = seen.page.locator("nav a").all()
        assert [link.inner_text() for link in links] == [each.metric.shown_as for each in record.measures]
        for link in links:
            links_to = seen.page.locator(link.get_attribute("href"))
            assert links_to.locator("h2").inner_text() == f"By {link.inner_text()}"
            assert links_to.locator("table").count() >= 1
            assert links_to.locator("svg:visible").count() == 1


def test_names_stay_in_view_on_a_phone_while_a_table_is_scrolled(browser, tmp_path):
    path = tmp_path / "page.html"
    page.write(records.twelve_long_names(), path)
    with Seen(browser, path, viewport={"width": 390, "height": 900}) as seen:
        seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        scrolled = seen.page.evaluate("""() => [...document.querySelectorAll(".scroll")].map(each => {
            each.scrollLeft = 1e4;
            const name = each.querySelector("tbody th").getBoundingClientRect();
            return [each.scrollLeft > 0, name.left >= 0 && name.right <= 390];
        })""")
    assert [True, True] in scrolled
    assert all(in_view for _, in_view in scrolled)


def test_captions_are_not_cut_on_a_phone(browser, tmp_path):
    path = tmp_path / "page.html"
    page.write(records.several_measures(), path)
    with Seen(browser, path, viewport={"width": 390, "height": 900}) as seen:
        seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        ends = seen.page.evaluate("""() => [...document.querySelectorAll("caption")].map(each => {
            const range = document.createRange();
            range.selectNodeContents(each);
            return range.getBoundingClientRect().right;
        })""")
    assert max(ends) <= 390


def test_it_prints_with_every_table_open(browser, written, tmp_path):
    with Seen(browser, written) as seen:
        seen.page.emulate_media(media="print")
        assert seen.page.pdf(format="A4").startswith(b"%PDF")
        hidden = seen.page.locator("table:not(:visible)").count()
        assert hidden == 0


def test_the_json_to_download_is_the_result_to_the_byte(browser, tmp_path):
    import base64

    record = records.hostile()
    path = tmp_path / "page.html"
    page.write(record, path)
    with Seen(browser, path) as seen:
        link = seen.page.locator("a[download]").get_attribute("href")
    content = base64.b64decode(link.partition(",")[2])
    assert content == encode(record)
    assert decode(content) == record


def test_every_picture_has_words_for_who_cannot_see_it_and_a_table_behind_it(browser, written):
    with Seen(browser, written) as seen:
        sections = seen.page.locator("section:has(svg)").all()
        for section in sections:
            assert section.locator("details table").count() >= 1
            assert section.locator("svg").first.get_attribute("aria-label")
