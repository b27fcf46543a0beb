# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The texts on the boot partition: whatever a name holds, it comes out exactly and becomes nothing else."""

from __future__ import annotations

import configparser
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.workshop.flash import making
from workshop.flash import cloud
from workshop.flash.bootfiles import cmdline_txt, config_txt
from workshop.flash.site import Lte, Site, Wifi, load_site, wifi_key
from workshop.flash.words import FlashError

ANY = st.text(st.characters(blacklist_categories=["Cs"]), max_size=60)
HARD = [
    '"',
    "'",
    ": ",
    "# no",
    "a\nusers: []",
    "\x85",
    "\u2028",
    "\ufeff",
    "\x7f",
    "\x00",
    "yes",
    "1e3",
    "~",
    "😀",
    "{{x}}",
    " ",
]


def hard(test):
    for text in HARD:
        test = example(text)(test)
    return given(ANY)(test)


@hard
def test_any_text_comes_back_from_yaml_exactly(text: str) -> None:
    value = {"key": text, "list": [text, {"inner": text}], text: 1}
    assert yaml.safe_load(cloud.yaml(value)) == value


@hard
def test_a_network_may_have_any_name(text: str) -> None:
    assume(text)
    site = Site(ssh_keys=["x"], wifi=Wifi(ssid=text))
    network = yaml.safe_load(cloud.network_config(site, "ab" * 32))["network"]
    assert network["wifis"]["wlan0"]["access-points"] == {text: {"password": "ab" * 32}}


@hard
def test_a_public_key_with_any_comment_adds_nothing_to_user_data(text: str) -> None:
    user = cloud.user_data(Site(ssh_keys=[text]), "wagen-7", firstboot=["sh"], lte=text)
    data = yaml.safe_load(user)
    assert user.startswith("#cloud-config\n")
    assert data["users"][0]["ssh_authorized_keys"] == [text]
    assert data["write_files"][0]["content"] == text
    assert data["ssh_pwauth"] is False


LINES = st.lists(
    st.sampled_from(
        ["[all]", "[pi5]", "[none]", "dtoverlay=x", "# include wegewart.txt", "include wegewart.txt", "", "  a=1", "\r"]
    ),
    max_size=12,
)


@given(LINES, st.sampled_from(["", "\n", "\n\n"]))
def test_config_txt_keeps_every_other_line_and_ends_with_our_include_for_all_boards(lines: list[str], end: str) -> None:
    text = "\n".join(lines) + end
    changed = config_txt(text)
    assert config_txt(changed) == changed
    kept = [line for line in lines if line.strip() and line != "include wegewart.txt"]
    got = [line for line in changed.split("\n") if line.strip()]
    assert got[-1] == "include wegewart.txt"
    assert got[:-1] in (kept, [*kept, "[all]"])
    assert [line for line in got if line.startswith("[")][-1] == "[all]"


WORDS = st.lists(st.sampled_from(["console=tty1", "quiet", 'a="b  c"', "ds=nocloud;i=old", "root=/dev/x"]), max_size=6)


NEW = st.lists(st.sampled_from(["cgroup_enable=memory", "quiet", "console=tty1", "b"]), max_size=4)


@given(WORDS, NEW)
def test_cmdline_txt_keeps_its_words_and_gets_each_new_one_once(there: list[str], add: list[str]) -> None:
    text = " ".join(there) + "\n"
    changed = cmdline_txt(text, " ".join(add), "new")
    assert cmdline_txt(changed, " ".join(add), "new") == changed
    assert changed.endswith("\n")
    assert "\n" not in changed[:-1]
    kept = " ".join(there).replace("i=old", "i=new")
    assert changed.startswith(kept)
    fresh = changed[len(kept) :].split()
    assert fresh == [word for word in dict.fromkeys(add) if word not in kept.split()]


@pytest.mark.parametrize(
    ("line", "without"),
    [
        ("a resize b\n", "a b\n"),
        ("resize\n", "\n"),
        ("resize a\n", "a\n"),
        ("a resize", "a\n"),
        ("noresize resize=1 a\n", "noresize resize=1 a\n"),
    ],
)
def test_the_word_that_grows_the_root_over_the_whole_card_goes(line: str, without: str) -> None:
    assert cmdline_txt(line, "", "x") == without


def test_an_instance_id_on_the_kernels_line_becomes_ours_and_a_word_like_it_stays() -> None:
    line = "x=ds=nocloud;i=1 ds=nocloud;h=car;instance-id=rpios;s=/x root=1\n"
    assert cmdline_txt(line, "", "ours") == "x=ds=nocloud;i=1 ds=nocloud;h=car;i=ours;s=/x root=1\n"


def test_wifi_key_is_the_published_test_vector(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("password\n")
    key = wifi_key(Wifi(ssid="IEEE", password_file=tmp_path / "password"))
    assert key == "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"


@pytest.mark.parametrize("password", ["short", "x" * 64])
def test_a_password_that_wpa2_does_not_allow_is_refused_without_being_shown(tmp_path: Path, password: str) -> None:
    (tmp_path / "file").write_text(password)
    with pytest.raises(FlashError) as caught:
        wifi_key(Wifi(ssid="x", password_file=tmp_path / "file"))
    assert password not in str(caught.value.words)


def keyfile(text: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parsed.read_string(text)
    return parsed


def test_the_mobile_profile_is_a_keyfile_with_all_that_was_asked() -> None:
    lte = Lte(apn="internet", user="stadt\\netz", roaming=False)
    text = cloud.lte_profile(lte, password=" geheim", pin="0042", uuid="u")
    gsm = keyfile(text)["gsm"]
    assert dict(gsm) == {
        "apn": "internet",
        "username": "stadt\\\\netz",
        "password": "\\sgeheim",
        "pin": "0042",
        "home-only": "true",
    }


@pytest.mark.parametrize("pin", ["123", "12345678 9", "12a4", "1234\n[x]"])
def test_a_pin_that_is_none_is_refused_without_being_shown(pin: str) -> None:
    with pytest.raises(FlashError) as caught:
        cloud.lte_profile(Lte(apn="x"), password=None, pin=pin, uuid="u")
    assert pin not in str(caught.value.words)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('usr = "x"', "usr: unknown key, did you mean 'user'?"),
        ('user = "Root"', "user: "),
        ('user = "a:b"', "user: "),
        ('packages = ["gpsd; rm"]', "packages: 'gpsd; rm' is no package's name"),
        ('board = "pi"', "board: "),
        ('timezone = "../x"', "timezone: "),
        ('[ethernet]\naddress = "10.0.0.1"', "ethernet.address: "),
        ('[lte]\napn = "a\\nb"', "lte.apn: "),
        ('[wifi]\nssid = ""', "wifi.ssid: "),
        ('[wifi]\nssid = "x"\ncountry = "de"', "wifi.country: "),
        ("x = [", "is no valid TOML"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_file_key_and_reason(tmp_path: Path, line: str, why: str) -> None:
    path = making.site(tmp_path, line)
    with pytest.raises(FlashError) as caught:
        load_site(path)
    said = caught.value.words.en
    assert said.startswith(f"{path}: ")
    assert why in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "key",
    [
        "",
        "ssh-ed25519",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        making.SSH_KEY + "\nusers: []",
        'command="x" ' + making.SSH_KEY,
    ],
)
def test_what_is_no_public_key_is_refused_by_its_number(tmp_path: Path, key: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(f"ssh_keys = {msgspec.json.encode([making.SSH_KEY, key]).decode()}\n")
    with pytest.raises(FlashError) as caught:
        load_site(path)
    assert "ssh_keys, number 2" in caught.value.words.en


def test_a_fixed_address_and_the_jetsons_own_port_name() -> None:
    pi = Site(ssh_keys=["x"], ethernet=cloud.Ethernet(address="192.168.50.2/24"))
    assert yaml.safe_load(cloud.network_config(pi, None))["network"]["ethernets"] == {
        "eth0": {"dhcp4": False, "addresses": ["192.168.50.2/24"], "optional": True}
    }
    jetson = yaml.safe_load(cloud.network_config(Site(ssh_keys=["x"], board="jetson_orin_nano"), None))
    assert jetson["network"]["ethernets"]["wired"]["match"] == {"name": "en*"}
