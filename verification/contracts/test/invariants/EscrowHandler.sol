// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ChannelConfig, VoucherClaim} from "src/escrow/ChannelTypes.sol";
import {TestUSD} from "src/token/TestUSD.sol";
import {Base} from "../support/Base.sol";
import {LooseCollector} from "../support/Doubles.sol";

/// @notice Takes random steps on four channels and keeps its own account of what must be true.
contract EscrowHandler is Base {
    uint256 public constant CHANNELS = 4;
    uint256 public constant RECEIVERS = 2;
    uint256 public constant TOKENS = 2;

    TestUSD[2] public tokens;
    address[2] public receivers = [address(0x9001), address(0x9002)];
    LooseCollector private loose = new LooseCollector();

    mapping(uint256 channel => uint256) private _deposited;
    mapping(uint256 channel => uint256) private _returned;
    mapping(uint256 channel => uint128) private _highest;
    mapping(uint256 channel => VoucherClaim[]) private _used;
    bool public totalFell;
    bool public replayMoved;
    uint256 public steps;

    constructor() {
        tokens[0] = new TestUSD(address(this));
        tokens[1] = new TestUSD(address(this));
        for (uint256 t = 0; t < TOKENS; ++t) {
            tokens[t].mint(address(loose), type(uint128).max);
        }
        for (uint256 i = 0; i < CHANNELS; ++i) {
            _deposit(i, 1e12);
        }
    }

    /// @dev Watches every channel's total across a step.
    modifier watched() {
        uint128[] memory before = _totals();
        _;
        uint128[] memory afterwards = _totals();
        for (uint256 i = 0; i < CHANNELS; ++i) {
            if (afterwards[i] < before[i]) totalFell = true;
        }
    }

    function deposit(uint256 seed, uint128 amount) external watched {
        _deposit(seed % CHANNELS, amount % 1e12 + 1);
        ++steps;
    }

    /// @dev Any total up to a little above the balance, so mostly good ones, above and below what is claimed already; one
    ///      ceiling in eight is too low.
    function claim(uint256 seed, uint128 total, uint128 slack, bool byReceiver) external watched {
        uint256 i = seed % CHANNELS;
        VoucherClaim[] memory rows = one(_anyRow(i, total, slack));
        address sender = byReceiver ? rows[0].voucher.channel.receiver : authorizer;
        vm.prank(sender);
        try escrow.claim(rows) {
            _noteClaim(i, rows[0]);
        } catch {}
    }

    function claimTwo(uint256 a, uint256 b, uint128 first, uint128 second) external watched {
        a = a % CHANNELS;
        b = b % CHANNELS;
        VoucherClaim[] memory rows = two(_anyRow(a, first, first), _anyRow(b, second, second));
        bytes memory signature = sign(AUTHORIZER_KEY, escrow.getClaimBatchDigest(rows));
        try escrow.claimWithSignature(rows, signature) {
            _noteClaim(a, rows[0]);
            _noteClaim(b, rows[1]);
        } catch {}
    }

    /// @dev Hands in, again, a voucher that succeeded on a channel, be it the last one or older.
    function replay(uint256 seed, uint256 which) external watched {
        VoucherClaim[] storage used = _used[seed % CHANNELS];
        if (used.length == 0) return;
        VoucherClaim[] memory rows = one(used[which % used.length]);
        bytes32 before = _fingerprint();
        vm.prank(authorizer);
        try escrow.claim(rows) {} catch {}
        if (_fingerprint() != before) replayMoved = true;
        ++steps;
    }

    function initiateWithdraw(uint256 seed, uint128 amount) external watched {
        vm.prank(payer);
        try escrow.initiateWithdraw(configOf(seed % CHANNELS), amount % 1e12) {
            ++steps;
        } catch {}
    }

    function finalizeWithdraw(uint256 seed, bool wait) external watched {
        uint256 i = seed % CHANNELS;
        if (wait) vm.warp(block.timestamp + DELAY);
        uint256 before = _tokenOf(i).balanceOf(payer);
        vm.prank(payer);
        try escrow.finalizeWithdraw(configOf(i)) {
            _returned[i] += _tokenOf(i).balanceOf(payer) - before;
            ++steps;
        } catch {}
    }

    function refund(uint256 seed, uint128 amount, bool signed) external watched {
        uint256 i = seed % CHANNELS;
        ChannelConfig memory config = configOf(i);
        uint256 before = _tokenOf(i).balanceOf(payer);
        amount = amount % 1e12 + 1;
        if (signed) {
            uint256 nonce = escrow.refundNonce(idOf(i));
            bytes memory signature = sign(AUTHORIZER_KEY, escrow.getRefundDigest(idOf(i), nonce, amount));
            escrow.refundWithSignature(config, amount, nonce, signature);
        } else {
            vm.prank(config.receiver);
            escrow.refund(config, amount);
        }
        _returned[i] += _tokenOf(i).balanceOf(payer) - before;
        ++steps;
    }

    function settle(uint256 seed) external watched {
        escrow.settle(receivers[seed % RECEIVERS], address(tokens[seed / 2 % TOKENS]));
        ++steps;
    }

    function ghost(uint256 i) external view returns (uint256 deposited, uint256 returned, uint256 highest) {
        return (_deposited[i], _returned[i], _highest[i]);
    }

    /// @notice Of one token: all deposits, all that left, and what is free in channels or not yet paid to receivers.
    function totals(uint256 t) external view returns (uint256 deposited, uint256 paidOut, uint256 owed) {
        for (uint256 i = t; i < CHANNELS; i += TOKENS) {
            deposited += _deposited[i];
            (uint128 balance, uint128 claimed) = escrow.channels(idOf(i));
            owed += balance - claimed;
        }
        paidOut = tokens[t].balanceOf(payer);
        for (uint256 r = 0; r < RECEIVERS; ++r) {
            paidOut += tokens[t].balanceOf(receivers[r]);
            (uint128 claimed, uint128 settled) = escrow.receivers(receivers[r], address(tokens[t]));
            owed += claimed - settled;
        }
    }

    function claimedFor(uint256 r, uint256 t) external view returns (uint256 sum) {
        for (uint256 i = 0; i < CHANNELS; ++i) {
            if (i % TOKENS == t && i / TOKENS % RECEIVERS == r) sum += _highest[i];
        }
    }

    function idOf(uint256 i) public view returns (bytes32) {
        return escrow.getChannelId(configOf(i));
    }

    function configOf(uint256 i) public view returns (ChannelConfig memory config) {
        config = channelWithSalt(i);
        config.token = address(_tokenOf(i));
        config.receiver = receivers[i / TOKENS % RECEIVERS];
    }

    function _tokenOf(uint256 i) private view returns (TestUSD) {
        return tokens[i % TOKENS];
    }

    function _deposit(uint256 i, uint128 amount) private {
        escrow.deposit(configOf(i), amount, address(loose), "");
        _deposited[i] += amount;
    }

    function _anyRow(uint256 i, uint128 total, uint128 slack) private view returns (VoucherClaim memory) {
        (uint128 balance,) = escrow.channels(idOf(i));
        total = total % (balance + balance / 8 + 2);
        uint128 ceiling = slack % 8 == 0 ? total / 2 : total + slack % 1e6;
        return row(configOf(i), ceiling, total);
    }

    function _noteClaim(uint256 i, VoucherClaim memory used) private {
        if (used.totalClaimed <= _highest[i]) return;
        _highest[i] = used.totalClaimed;
        _used[i].push(used);
        ++steps;
    }

    function _totals() private view returns (uint128[] memory claimed) {
        claimed = new uint128[](CHANNELS);
        for (uint256 i = 0; i < CHANNELS; ++i) {
            (, claimed[i]) = escrow.channels(idOf(i));
        }
    }

    function _fingerprint() private view returns (bytes32 print) {
        for (uint256 i = 0; i < CHANNELS; ++i) {
            (uint128 balance, uint128 claimed) = escrow.channels(idOf(i));
            print = keccak256(abi.encode(print, balance, claimed));
        }
        for (uint256 r = 0; r < RECEIVERS; ++r) {
            for (uint256 t = 0; t < TOKENS; ++t) {
                (uint128 claimed, uint128 settled) = escrow.receivers(receivers[r], address(tokens[t]));
                print = keccak256(abi.encode(print, claimed, settled, tokens[t].balanceOf(address(escrow))));
            }
        }
    }
}
