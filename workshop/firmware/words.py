# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The words of config.txt: keys, sections, base parameters and overlays that a device of ours may need.

Taken from Raspberry Pi's documentation ("config.txt") and the overlays' README; not all of them, on purpose: what is
not here is named with the word nearest to it, and may be added.
"""

from __future__ import annotations

SWITCH = "[01]"
NUMBER = r"\d+"
NAME = r"\S+"
ON_OFF = "on|off|yes|no|true|false|[01]"

#: Key -> pattern of its value.
KEYS: dict[str, str] = {
    "arm_64bit": SWITCH, "arm_boost": SWITCH, "arm_freq": NUMBER, "arm_freq_min": NUMBER, "auto_initramfs": SWITCH,
    "boot_delay": NUMBER, "boot_load_flags": "0x[0-9a-fA-F]+", "camera_auto_detect": SWITCH, "cmdline": NAME,
    "core_freq": NUMBER, "device_tree": r"\S*", "disable_fw_kms_setup": SWITCH, "disable_overscan": SWITCH,
    "disable_poe_fan": SWITCH, "disable_splash": SWITCH, "display_auto_detect": SWITCH, "enable_uart": SWITCH,
    "force_eeprom_read": SWITCH, "force_turbo": SWITCH, "gpu_freq": NUMBER, "hdmi_blanking": "[012]",
    "hdmi_force_hotplug": SWITCH, "hdmi_ignore_hotplug": SWITCH, "init_uart_baud": NUMBER, "init_uart_clock": NUMBER,
    "kernel": NAME, "kernel_watchdog_partition": NUMBER, "kernel_watchdog_timeout": NUMBER, "max_framebuffers": NUMBER,
    "os_check": SWITCH, "os_prefix": NAME, "otg_mode": SWITCH, "over_voltage": r"-?\d+", "over_voltage_delta": r"-?\d+",
    "overlay_prefix": NAME, "pciex4_reset": SWITCH, "temp_limit": NUMBER, "temp_soft_limit": NUMBER,
    "usb_max_current_enable": SWITCH, "watchdog": SWITCH,
    "gpio": r"[\d,-]+=(ip|op|a[0-5]|dh|dl|pu|pd|pn|np)(,(ip|op|a[0-5]|dh|dl|pu|pd|pn|np))*",
}  # fmt: skip

#: Read by the boot loader itself, which does not follow `include`: they would do nothing in our included file.
BOOT_LOADER = frozenset({
    "bootcode_delay", "fixup_file", "gpu_mem", "gpu_mem_1024", "gpu_mem_256", "gpu_mem_512", "sdram_freq",
    "start_debug", "start_file", "start_x", "total_mem", "uart_2ndstage",
})  # fmt: skip

SECTIONS = frozenset({
    "all", "none", "tryboot", "pi0", "pi0w", "pi02", "pi1", "pi2", "pi3", "pi3+", "pi4", "pi400", "pi5", "pi500", "cm4",
    "cm4s", "cm5", "cm5l",
})  # fmt: skip
SECTION_PATTERN = r"EDID=\S+|HDMI:[01]|0x[0-9a-fA-F]+|gpio\d+=[01]|board-type=0x[0-9a-fA-F]+|(boot_)?partition=\d+"

#: dtparam= of the board's own device tree.
PARAMETERS: dict[str, str] = {
    "audio": ON_OFF, "watchdog": ON_OFF, "random": ON_OFF, "i2s": ON_OFF, "spi": ON_OFF, "i2c": ON_OFF,
    "i2c_arm": ON_OFF, "i2c_vc": ON_OFF, "i2c_baudrate": NUMBER,
    "i2c_arm_baudrate": NUMBER, "uart0": ON_OFF, "uart0_console": ON_OFF,
    "uart1": ON_OFF, "rtc": ON_OFF, "rtc_bbat_vchg": NUMBER, "pciex1": ON_OFF, "pciex1_gen": "[123]", "nvme": ON_OFF,
    "suspend": ON_OFF, "ant1": "", "ant2": "", "noant": "", "eee": ON_OFF, "eth_led0": NUMBER, "eth_led1": NUMBER,
    "act_led_trigger": NAME, "act_led_activelow": ON_OFF, "act_led_gpio": NUMBER, "pwr_led_trigger": NAME,
    "pwr_led_activelow": ON_OFF, "cooling_fan": ON_OFF, "fan_temp0": NUMBER, "fan_temp0_hyst": NUMBER,
    "fan_temp0_speed": NUMBER, "sd_poll_once": ON_OFF, "sd_cqe": "[012]", "cam0_reg": ON_OFF, "cam1_reg": ON_OFF,
}  # fmt: skip

_CAMERA = {"rotation": "0|90|180|270", "orientation": "[012]", "media-controller": ON_OFF, "cam0": "", "vcm": ON_OFF}
_BUS = {
    "i2c0": "",
    "i2c1": "",
    "i2c_csi_dsi": "",
    "i2c3": "",
    "i2c4": "",
    "i2c5": "",
    "i2c6": "",
    "addr": "0x[0-9a-f]{2}",
}
_PULL = "up|down|off|none"
_CAN = {"oscillator": NUMBER, "spimaxfrequency": NUMBER, "interrupt": NUMBER}
_CLOCKS = (
    "abx80x", "bq32000", "ds1307", "ds1339", "ds1340", "ds3231", "m41t62", "mcp7940x", "mcp7941x", "pcf2127", "pcf2129",
    "pcf2131", "pcf85063", "pcf85063a", "pcf8523", "pcf85363", "pcf8563", "rv1805", "rv3028", "rv3032", "rv8803",
    "sd3078", "s35390a",
)  # fmt: skip

#: Overlay -> its parameters and their values; an empty pattern: the word stands alone.
OVERLAYS: dict[str, dict[str, str]] = {
    "gpio-shutdown": {"gpio_pin": NUMBER, "active_low": SWITCH, "gpio_pull": _PULL, "debounce": NUMBER},
    "gpio-poweroff": {
        "gpiopin": NUMBER, "active_low": "[01]?", "input": SWITCH, "export": SWITCH, "timeout_ms": NUMBER,
        "active_delay_ms": NUMBER, "inactive_delay_ms": NUMBER,
    },
    "gpio-fan": {"gpiopin": NUMBER, "temp": NUMBER, "hyst": NUMBER},
    "gpio-led": {"gpio": NUMBER, "label": NAME, "trigger": NAME, "active_low": "[01]?"},
    "gpio-key": {
        "gpio": NUMBER, "active_low": SWITCH, "gpio_pull": _PULL, "label": NAME, "keycode": NUMBER, "debounce": NUMBER,
    },
    "i2c-rtc": {
        **dict.fromkeys(_CLOCKS, ""), **_BUS, "wakeup-source": "", "trickle-resistor-ohms": NUMBER,
        "trickle-diode-type": NAME, "backup-switchover-mode": "[0-3]", "aux-voltage-chargeable": SWITCH,
    },
    "disable-bt": {}, "disable-wifi": {}, "disable-bt-pi5": {}, "disable-wifi-pi5": {},
    "miniuart-bt": {"krnbt": ON_OFF},
    **{f"uart{number}{board}": {"ctsrts": "", "txd0_pin": NUMBER, "rxd0_pin": NUMBER, "pin_func": NUMBER}
       for number in range(6) for board in ("", "-pi5")},
    "mcp2515-can0": _CAN, "mcp2515-can1": _CAN, "mpu6050": {**_BUS, "interrupt": NUMBER},
    "mcp251xfd": {"spi0-0": "", "spi0-1": "", "spi1-0": "", "oscillator": NUMBER, "speed": NUMBER, "interrupt": NUMBER,
                  "rx_interrupt": NUMBER, "xceiver_enable": NUMBER, "xceiver_active_high": ""},
    "pps-gpio": {"gpiopin": NUMBER, "assert_falling_edge": "", "capture_clear": "", "pull": _PULL},
    "dwc2": {"dr_mode": "host|peripheral|otg", "g-rx-fifo-size": NUMBER, "g-np-tx-fifo-size": NUMBER},
    "vc4-kms-v3d": {"audio": ON_OFF, "noaudio": "", "nohdmi": "", "nohdmi0": "", "nohdmi1": "", "composite": "",
                    **{f"cma-{size}": "" for size in (64, 96, 128, 192, 256, 320, 384, 448, 512)}},
    "cma": {"cma-size": NUMBER, **{f"cma-{size}": "" for size in (64, 96, 128, 192, 256, 320, 384, 448, 512)}},
    **{name: {**_CAMERA, "always-on": "", "clock-frequency": NUMBER, "link-frequency": NUMBER, "mono": "", "4lane": ""}
       for name in ("imx219", "imx290", "imx296", "imx327", "imx378", "imx477", "imx500", "imx519", "imx708", "ov5647",
                    "ov64a40", "ov7251", "ov9281")},
}  # fmt: skip
