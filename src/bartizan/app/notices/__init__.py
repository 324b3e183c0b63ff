"""Notices: who is told of what happens in a fleet, gathered, kept until sent, and sent.

`look` turns what is new in the store into messages in the outbox, `deliver`
sends what is due; a plane does both every few seconds.
"""

from bartizan.app.notices.announcing import announce
from bartizan.app.notices.delivering import Delivered, deliver, send_test
from bartizan.app.notices.looking import look
from bartizan.app.notices.sending import Outcome, Ways, open_ways
from bartizan.app.notices.settings import NOBODY, Notifications, read_notifications

__all__ = [
    "NOBODY",
    "Delivered",
    "Notifications",
    "Outcome",
    "Ways",
    "announce",
    "deliver",
    "look",
    "open_ways",
    "read_notifications",
    "send_test",
]
