// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IDepositCollector} from "src/escrow/IDepositCollector.sol";
import {IPermit2} from "src/escrow/IPermit2.sol";

/// @notice A brake that a test pulls.
contract SwitchBrake {
    bool public isPaused;

    function pull(bool paused) external {
        isPaused = paused;
    }
}

/// @notice A contract wallet of one key.
contract Wallet is IERC1271 {
    address private immutable _key;

    constructor(address key) {
        _key = key;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address recovered,,) = ECDSA.tryRecoverCalldata(hash, signature);
        return recovered == _key ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @notice Keeps one unit of every transfer.
contract FeeToken is ERC20("Fee", "FEE") {
    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0) && value > 0) super._update(to, address(0xFEE), 1);
    }
}

/// @notice Brings as much as it is told to from its own purse.
contract LooseCollector is IDepositCollector {
    int256 private _difference;

    function setDifference(int256 difference) external {
        _difference = difference;
    }

    function collect(address, address token, uint256 amount, bytes32, bytes calldata) external {
        ERC20(token).transfer(msg.sender, uint256(int256(amount) + _difference));
    }
}

/// @notice Calls back into whoever asked it, once in a transfer and once as a collector.
contract Reenterer is ERC20("Reenter", "RE"), IDepositCollector {
    bytes private _attack;
    bytes public failure;

    function arm(bytes calldata attack) external {
        _attack = attack;
    }

    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function collect(address, address, uint256 amount, bytes32, bytes calldata) external {
        _mint(msg.sender, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_attack.length == 0) return;
        (bool success, bytes memory data) = msg.sender.call(_attack);
        failure = success ? bytes("entered") : data;
    }
}

/// @notice A Permit2 that checks the owner's EIP-712 signature over transfer and witness as the real one does.
contract Permit2Double is IPermit2 {
    mapping(address owner => mapping(uint256 nonce => bool)) private _used;

    function domainSeparator() public view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Permit2"),
                block.chainid,
                address(this)
            )
        );
    }

    function digest(PermitTransferFrom calldata permit, address spender, bytes32 witness, string calldata typeRest)
        public
        view
        returns (bytes32)
    {
        bytes32 permitted = keccak256(
            abi.encode(
                keccak256("TokenPermissions(address token,uint256 amount)"),
                permit.permitted.token,
                permit.permitted.amount
            )
        );
        bytes32 kind = keccak256(
            abi.encodePacked(
                "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,",
                typeRest
            )
        );
        bytes32 structHash = keccak256(abi.encode(kind, permitted, spender, permit.nonce, permit.deadline, witness));
        return keccak256(abi.encodePacked(hex"1901", domainSeparator(), structHash));
    }

    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata details,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external {
        require(block.timestamp <= permit.deadline, "SignatureExpired");
        require(details.requestedAmount <= permit.permitted.amount, "InvalidAmount");
        require(!_used[owner][permit.nonce], "InvalidNonce");
        _used[owner][permit.nonce] = true;
        bytes32 hash = this.digest(permit, msg.sender, witness, witnessTypeString);
        require(ECDSA.recover(hash, signature) == owner, "InvalidSigner");
        ERC20(permit.permitted.token).transferFrom(owner, details.to, details.requestedAmount);
    }
}
