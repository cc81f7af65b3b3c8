"""A hosted image API as a target, against a real server on the loopback: what it gives, and every way it goes wrong."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scanner.errors import OutOfBudgetError, ScannerError, UnusableInputError
from scanner.samples import decode
from scanner.targets import ApiSettings, ApiTarget, Drawn, Transform
from scanner.targets.api._budget import Spent
from tests.samples.pictures import photo_like
from tests.targets.api.api_server import KEY, ApiServer, api_server, picture


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with api_server() as api:
        yield api


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    if "server" in request.fixturenames:
        api = request.getfixturevalue("server")
        for past in (api.asked, api.headers, api.at, api.fetched):
            past.clear()


def target_of(api: ApiServer, kept: Path | None = None, side: int = 64, **settings: Any) -> ApiTarget:
    given = {"model": "painter", "url": api.url, "backoff": 0.01, "retries": 3, "timeout": 5.0, "size": "64x64"}
    return ApiTarget(ApiSettings(**(given | settings)), Transform(size=side), kept)


def draw(target: ApiTarget, *captions: str) -> list[Drawn]:
    return target.generate(list(captions), list(range(len(captions))), steps=50, guidance=7.5)


def pixels(image: Drawn) -> np.ndarray:
    assert image.image is not None
    return (image.image * 255).round().astype(np.uint8)


def test_an_image_is_asked_for_in_openais_form_and_comes_back_in_the_order_asked(server: ApiServer) -> None:
    target = target_of(server)
    images = draw(target, "a fox", "a cat", "a fox")
    assert all(image.defect is None and image.seed is None for image in images)
    assert sorted(pixels(image).sum() for image in images[::2]) == sorted(photo_like(i, 64, 64).sum() for i in (0, 1))
    np.testing.assert_array_equal(pixels(images[1]), photo_like(0, 64, 64))
    wanted = {"model": "painter", "n": 1, "size": "64x64", "response_format": "b64_json"}
    assert sorted(map(str, server.asked)) == sorted(
        str({"model": "painter", "prompt": prompt, **{k: v for k, v in wanted.items() if k != "model"}})
        for prompt in ("a fox", "a cat", "a fox")
    )
    assert {headers["Authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
    assert target.evaluations == 0


def test_a_seed_is_sent_only_when_wanted_and_fits_32_bits(server: ApiServer) -> None:
    (image,) = target_of(server, sends_seed=True, size=None).generate(["a fox"], [2**62 + 5], steps=1, guidance=0)
    assert server.asked == [{"model": "painter", "prompt": "a fox", "n": 1, "response_format": "b64_json", "seed": 5}]
    assert image.seed == 5


def test_without_a_key_in_the_environment_none_is_sent(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    draw(target_of(server), "a fox")
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize("prompt", ["address picture/5", "address moved"])
def test_an_image_that_is_given_by_its_address_is_fetched_without_the_key(server: ApiServer, prompt: str) -> None:
    (image,) = draw(target_of(server), prompt)
    np.testing.assert_array_equal(pixels(image), photo_like(5, 64, 64))
    assert all("Authorization" not in headers for headers in server.headers[1:])


def test_a_data_address_is_the_image_itself(server: ApiServer) -> None:
    (image,) = draw(target_of(server), "dataurl")
    np.testing.assert_array_equal(pixels(image), photo_like(0, 64, 64))


@pytest.mark.parametrize("where", ["file:///etc/hostname", "ftp://127.0.0.1/x.png", "moved-to-a-file"])
def test_no_file_of_this_machine_is_read_for_an_address(server: ApiServer, where: str) -> None:
    (image,) = draw(target_of(server), f"address {where}")
    assert (image.image, image.defect) == (None, "not_fetched")
    assert len(server.asked) == 2  # what was paid for is asked for once more, not four times


def test_a_model_that_takes_no_response_format_is_asked_without(server: ApiServer) -> None:
    images = draw(target_of(server, threads=3), "gpt", "gpt", "gpt")
    assert [image.defect for image in images] == [None] * 3
    draw(target_of(server), "a fox")
    assert ["response_format" in body for body in server.asked[-2:]] == [False, True]


def test_a_text_that_the_api_wrote_itself_is_noted_without_the_key(server: ApiServer) -> None:
    (image,) = draw(target_of(server), "revised")
    assert image.note == "The API drew another text: A fox of many words."


LOSSY = {"gif": 12.0, "palette": 12.0, "large": 2.0, "wide": 1.0}
"""Mean difference, of 255, that the format or a change of size makes."""


@pytest.mark.parametrize("name", ["webp", "rgba", "palette", "gif", "grey16", "large", "wide"])
def test_an_image_of_any_format_and_size_is_squared_to_the_comparison_size(server: ApiServer, name: str) -> None:
    (image,) = draw(target_of(server, side=32), f"format {name}")
    wanted = Transform(size=32)(photo_like(1, 64, 64))
    if name == "grey16":
        wanted = np.repeat(wanted[:, :, :1], 3, axis=2)
    assert image.defect is None
    assert np.abs(pixels(image).astype(float) - wanted).mean() <= LOSSY.get(name, 0)


# what goes wrong for one image


@pytest.mark.parametrize("prompt", ["refuse", "azure", "legal"])
def test_a_refusal_is_recorded_in_the_servers_words_and_not_asked_again(server: ApiServer, prompt: str) -> None:
    image, other = draw(target_of(server), prompt, "a fox")
    assert (image.image, image.defect, other.defect) == (None, "refused", None)
    assert image.note is not None
    assert KEY not in image.note
    assert server.prompts().count(prompt) == 1
    if prompt == "refuse":
        assert image.note == "Your request was rejected by the safety system ([key])."


@pytest.mark.parametrize(
    ("prompt", "defect", "requests"),
    [
        ("page", "not_json", 2),
        ("nothing", "no_image", 2),
        ("base64", "invalid_base64", 2),
        ("empty", "not_an_image", 2),
        ("svg", "not_an_image", 2),
        ("truncated", "truncated_image", 2),
        ("broken", "server_error", 4),
        ("cutoff", "broken", 4),
        ("long", "rejected", 1),
    ],
)
def test_an_answer_without_an_image_is_a_defect_of_that_image(
    server: ApiServer, prompt: str, defect: str, requests: int
) -> None:
    image, other = draw(target_of(server), prompt, "a fox")
    assert (image.image, image.defect, other.defect) == (None, defect, None)
    assert image.note is not None
    assert image.note.endswith(".")
    assert server.prompts().count(prompt) == requests


@pytest.mark.parametrize("prompt", ["hang", "drip"])
def test_an_answer_that_does_not_come_in_time_is_a_defect(server: ApiServer, prompt: str) -> None:
    (image,) = draw(target_of(server, timeout=0.2, retries=1), prompt)
    assert (image.defect, len(server.asked)) == ("timeout", 2)
    assert image.note == "The API gave no whole answer within 0.2 seconds."


@pytest.mark.parametrize(("prompt", "requests"), [("busy", 3), ("once500", 2)])
def test_what_may_pass_is_asked_for_again(server: ApiServer, prompt: str, requests: int) -> None:
    (image,) = draw(target_of(server), prompt)
    assert (image.defect, len(server.asked)) == (None, requests)


@pytest.mark.parametrize("prompt", ["waits", "dated"])
def test_the_server_says_how_long_to_wait(server: ApiServer, prompt: str) -> None:
    (image,) = draw(target_of(server), prompt)
    assert (image.defect, len(server.asked)) == (None, 2)
    assert server.at[1] - server.at[0] >= 0.9


# what goes wrong for all


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("unauthorised", "OPENAI_API_KEY"),
        ("forbidden", r"serves no images to this key \(status 403: The project of \[key\] has no access\)"),
        ("model", r"no model painter or no image API .*status 404: The model 'painter' does not exist\)"),
        ("elsewhere", "redirects to http://127.0.0.1:9/v1/images/generations"),
        ("hours", "asks to wait 7,200 seconds"),
        ("quota", "no credit left"),
        ("always429", "after 3 retries"),
        ("odd", "Invalid size 1x1.*before any image was made; correct the options"),
    ],
)
def test_what_concerns_all_images_stops_in_one_sentence_without_the_key(
    server: ApiServer, prompt: str, says: str
) -> None:
    with pytest.raises(ScannerError, match=says) as stopped:
        draw(target_of(server, threads=1), prompt, "a fox")
    assert KEY not in str(stopped.value)
    assert "a fox" not in server.prompts()


def test_a_server_that_is_not_there_stops_the_attack() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings = ApiSettings(model="m", url=f"http://127.0.0.1:{free.getsockname()[1]}/v1", retries=1, backoff=0.01)
    with pytest.raises(ScannerError, match="refuses the connection"):
        draw(ApiTarget(settings, Transform(size=64)), "a fox")


def test_a_server_that_fails_for_everything_is_not_asked_for_ever(server: ApiServer) -> None:
    with pytest.raises(ScannerError, match=r"The last 10 images asked of .* failed, the last so: The API answered"):
        draw(target_of(server, threads=1), *[f"page {i}" for i in range(50)])
    assert len(server.asked) == 20


@pytest.mark.parametrize("key", ["sk-ä", "sk-a\nb"])
def test_a_key_that_no_header_carries_is_refused_without_showing_it(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", key)
    with pytest.raises(UnusableInputError, match="OTHER_KEY") as refused:
        ApiTarget(ApiSettings(model="m", key_env="OTHER_KEY"), Transform(size=64))
    assert key not in str(refused.value)


@pytest.mark.parametrize("url", ["api.openai.com", "file:///v1", "https://", "https://host/v1?key=1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UnusableInputError, match="--api-url"):
        ApiSettings(model="m", url=url)


def test_a_password_in_the_address_is_refused_without_showing_it() -> None:
    with pytest.raises(UnusableInputError, match="OPENAI_API_KEY") as refused:
        ApiSettings(model="m", url="https://me:secret@host/v1")
    assert "secret" not in str(refused.value)


# what was paid for


def test_the_budget_stops_in_one_sentence_and_a_larger_one_goes_on_without_asking_twice(
    server: ApiServer, tmp_path: Path
) -> None:
    captions = [f"fox {i}" for i in range(6)]
    with pytest.raises(OutOfBudgetError, match=r"\(4 requests, 4 images\); all of it is kept.*--api-max-requests"):
        draw(target_of(server, tmp_path, max_requests=4), *captions)
    with pytest.raises(OutOfBudgetError, match="4 requests"):
        draw(target_of(server, tmp_path, max_requests=4), *captions)
    target = target_of(server, tmp_path, max_requests=100)
    images = draw(target, *captions)
    assert sorted(server.prompts()) == captions
    for image in images:
        np.testing.assert_array_equal(pixels(image), photo_like(0, 64, 64))
    assert target.spent == Spent(requests=6, images=6)
    draw(target, "another")
    assert len(list(tmp_path.glob("*.png"))) == 1  # the images of the call before stand in a table by now
    target.forget()
    assert [file.name for file in tmp_path.iterdir()] == ["spent.json"]


def test_the_budget_in_money_counts_images_and_not_requests(server: ApiServer, tmp_path: Path) -> None:
    with pytest.raises(OutOfBudgetError, match=r"3 images\).*--api-max-cost"):
        draw(target_of(server, tmp_path, price=0.1, max_cost=0.3), "once500", *[f"fox {i}" for i in range(5)])
    assert json.loads((tmp_path / "spent.json").read_text())["images"] == 3


def test_what_was_made_before_a_fault_is_kept_with_its_refusals_and_not_its_time_outs(
    server: ApiServer, tmp_path: Path
) -> None:
    prompts = ("a fox", "refuse", "hang", "model")
    first = target_of(server, tmp_path, threads=1, timeout=0.5, retries=0)
    with pytest.raises(ScannerError, match="no model"):
        draw(first, *prompts)
    server.asked.clear()
    with pytest.raises(ScannerError, match="no model"):
        draw(target_of(server, tmp_path, threads=1, timeout=5.0), *prompts)
    assert server.prompts() == ["hang", "model"]


def test_kept_images_are_those_that_were_sent(server: ApiServer, tmp_path: Path) -> None:
    with pytest.raises(OutOfBudgetError):
        draw(target_of(server, tmp_path, threads=1, max_requests=2), "revised", "format wide", "a fox")
    again = draw(target_of(server, tmp_path), "revised", "format wide", "a fox")
    assert again[0].note == "The API drew another text: A fox of many words."
    np.testing.assert_array_equal(pixels(again[0]), decode(picture(0)))
    assert again[1].image is not None
    assert again[1].image.shape == (64, 64, 3)
