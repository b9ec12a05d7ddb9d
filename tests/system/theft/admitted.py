"""What each thief can do at worst, in the words of the protocol's section 1; every test says which thief it is."""

from __future__ import annotations

from enum import Enum

import pytest


class Stolen(Enum):
    """The keys that a thief holds, and what he may do with them at most."""

    NOTHING = "no key: nothing"
    GATEWAY = "gateway: registered merchants are paid, up to the bucket"
    SERVICE = "settlement service: withholds service, moves nothing"
    ONE_OWNER = "all owners but those that make the threshold: nothing"
    OWNERS = "all owners: the bucket a day, to accounts with standing"
    OWNERS_AND_F = "all owners and f validators: the bucket a day, to accounts with standing"
    F_VALIDATORS = "f validators: nothing; f + 1: a stop"
    VALIDATORS = "all validators: nothing that owners or guardians do not let pass"
    SENTINEL = "sentinel: one stop of 6 h"
    GUARDIANS = "guardian quorum: stops, and evacuates to the vault only"
    EVERYBODY = "owners and a certificate, or owners and guardians after 14 days: what they agree on, exactly"


def admits(stolen: Stolen) -> pytest.MarkDecorator:
    return pytest.mark.admits(stolen)
