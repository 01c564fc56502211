"""Chinese in a real browser: what the components write themselves, and the switch."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import Visitor

pytestmark = pytest.mark.browser
CHINESE = re.compile("[一-鿿]")


def test_what_the_components_write_themselves_is_chinese(visitor: Visitor) -> None:
    page = visitor.open("/?query=image-0&lang=zh")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.get_by_role("link", name="下载：").first).to_have_text("下载")
    choose = page.get_by_test_id("stFileUploaderDropzone").locator("button")
    expect(choose).to_have_accessible_name(re.compile("选择文件"))
    expect(page.get_by_test_id("stFileUploaderDropzoneInstructions").locator("span")).to_be_hidden()

    page = visitor.open("/inspect?query=image-0&lang=zh")
    for name in ("放大", "缩小", "显示整张图片"):
        expect(page.get_by_role("button", name=name)).to_be_visible()

    page = visitor.open("/why?query=image-0&lang=zh")
    expect(page.get_by_role("button", name="涂抹遮挡")).to_be_visible()
    expect(page.get_by_role("button", name="闪烁对比").first).to_be_visible()
    expect(page.get_by_role("slider").first).to_have_accessible_name(CHINESE)


def test_the_switch_tells_the_page_anew_where_it_is(visitor: Visitor) -> None:
    page = visitor.open("/inspect?query=image-0&word=3")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("button", name="所有关键点")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/inspect\?.*query=image-0.*word=3.*lang=zh"))
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="All keypoints")).to_be_visible()
