// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {OtherAttacks} from "./OtherAttacks.sol";
import {Votes} from "./Votes.sol";
import {World} from "./World.sol";

/// @notice All steps and attacks, whoever signs as the validators.
contract GuardedHandler is OtherAttacks {
    constructor(Votes votes_) World(votes_) {}
}
