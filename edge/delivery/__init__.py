# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From the vehicle to the depot: a durable outbox, and an uplink that empties it over MQTT.

What `confirm` has returned an id for is never lost and never counted twice: the outbox holds it over a
power cut, and only the depot's own acknowledgement lets it go. `JsonlSink` stands in for both where
there is no broker.
"""

from edge.delivery.herald import Birth
from edge.delivery.jsonl import JsonlSink
from edge.delivery.outbox import Outbox
from edge.delivery.port import Counts, Delivery, LinkState
from edge.delivery.settings import BrokerSettings, Tls, from_url
from edge.delivery.uplink import Uplink, check_broker

__all__ = [
    "Birth",
    "BrokerSettings",
    "Counts",
    "Delivery",
    "JsonlSink",
    "LinkState",
    "Outbox",
    "Tls",
    "Uplink",
    "check_broker",
    "from_url",
]
