"""`lockgate contracts deploy`: puts the contracts of a payment on a local chain.

Clients have the escrow's and the collectors' addresses built in, so the code is created on the side,
immutables filled in, and copied to those addresses. The operators' Safe (a plain one, v1.5.0) and the
receiver-authorizer are created by transactions, at addresses that follow from their arguments. Every step
looks first, so a run that was stopped is finished by the next one.

The receiver-authorizer's owner is a plain Safe and not the guarded treasury: to name another key is a call that the
guard's table does not have, so a guarded owner could never rotate it.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kit import arguments
from kit.chain import addresses as at
from kit.chain import guarded_safe, settlement
from kit.chain.abi import calldata
from kit.chain.addresses import AddressFileError, ContractAddresses, Token, write_addresses
from kit.chain.anvil import Anvil, ChainError
from kit.chain.artifacts import ArtifactError, Artifacts, find_artifacts
from kit.chain.creation import created_by_salt

ZERO = "0x" + "00" * 20
# Sends the transactions and mints: an account without a key, which only Anvil can speak for.
DEPLOYER = to_checksum_address(keccak(text="lockgate local deployer")[12:])
ETHER = 10**18
NATIVE_FUNDS = 1_000 * ETHER
DEFAULT_PAYER_TOKENS = 1_000_000 * 10**6
DEFAULT_ROTATION_DELAY = 24 * 3600
SAFE_THRESHOLD_SLOT = 4
CREATE2_SALT = bytes(32)
# The receiver-authorizer's constructor emits it, so the chain itself tells when it was deployed.
OWNERSHIP_TRANSFERRED = bytes(keccak(text="OwnershipTransferred(address,address)"))


@dataclass(frozen=True, slots=True)
class Plan:
    """What to deploy. `payer_tokens` in the token's smallest unit, `rotation_delay` in seconds."""

    brake: str
    """The EmergencyBrake that stops deposits; it may be created later, and there are no deposits before."""
    payer: str
    owners: tuple[str, ...]
    threshold: int
    authorizer_owner: str | None
    authorizer_signer: str
    rotation_delay: int
    relay: str
    token: str
    payer_tokens: int
    funded: tuple[str, ...]
    treasury: str | None = None
    """Where channels pay, if not to the operators' Safe; it may be created later."""


def deploy(chain: Anvil, artifacts: Artifacts, plan: Plan) -> ContractAddresses:
    """Bring the chain to the plan and return where everything is. Raises ChainError, ArtifactError."""
    chain.fund(DEPLOYER, NATIVE_FUNDS)
    place_code(chain, artifacts, plan)
    operators, creating_operators = create_operator_safe(chain, plan)
    authorizer, creating_authorizer = create_authorizer(chain, artifacts, plan, operators)
    minting = mint(chain, plan)
    for account in (plan.payer, plan.relay, plan.authorizer_signer, *plan.owners, *plan.funded):
        chain.fund(account, NATIVE_FUNDS)
    for transaction in (creating_operators, creating_authorizer, minting):
        if transaction is not None:
            chain.wait_mined(transaction)
    for contract in (operators, authorizer):
        chain.wait_for(f"code of {contract}", lambda address=contract: chain.code(address))  # type: ignore[misc]
    return ContractAddresses(
        chain_id=chain.chain_id,
        token=describe_token(chain, plan.token),
        escrow=at.ESCROW,
        erc3009_collector=at.ERC3009_COLLECTOR,
        permit2_collector=at.PERMIT2_COLLECTOR,
        receiver_authorizer=authorizer,
        operator_safe=operators,
        treasury_safe=plan.treasury or operators,
        multicall3=at.MULTICALL3,
        deployed_at_block=chain.first_log_block(authorizer, OWNERSHIP_TRANSFERRED),
    )


def place_code(chain: Anvil, artifacts: Artifacts, plan: Plan) -> None:
    """Copy the code of all contracts that have fixed addresses."""
    one_address = ("address",)
    codes = {
        at.ESCROW: artifacts.creation("BatchSettlement", one_address, [plan.brake]),
        at.ERC3009_COLLECTOR: artifacts.creation("ERC3009DepositCollector", one_address, [at.ESCROW]),
        at.PERMIT2_COLLECTOR: artifacts.creation(
            "Permit2DepositCollector", ("address", "address"), [at.ESCROW, at.PERMIT2]
        ),
        plan.token: artifacts.creation("TestUSD", one_address, [DEPLOYER]),
        at.MULTICALL3: artifacts.creation("Multicall3"),
        at.SAFE_SINGLETON: artifacts.safe_creation("Safe"),
        at.SAFE_PROXY_FACTORY: artifacts.safe_creation("proxies/SafeProxyFactory"),
        at.SAFE_FALLBACK_HANDLER: artifacts.safe_creation("handler/CompatibilityFallbackHandler"),
    }
    for address, init_code in codes.items():
        chain.place(address, chain.runtime_code(init_code))
    # What the singleton's constructor stores, so that nobody can set the singleton itself up.
    chain.store(at.SAFE_SINGLETON, SAFE_THRESHOLD_SLOT, 1)


def create_operator_safe(chain: Anvil, plan: Plan) -> tuple[str, str | None]:
    """The Safe's address, and the transaction that creates it unless it is there already."""
    setup = calldata(
        "setup(address[],uint256,address,bytes,address,address,uint256,address)",
        plan.owners,
        plan.threshold,
        ZERO,
        b"",
        at.SAFE_FALLBACK_HANDLER,
        ZERO,
        0,
        ZERO,
    )
    (proxy_code,) = decode(["bytes"], chain.call(at.SAFE_PROXY_FACTORY, calldata("proxyCreationCode()")))
    init_code = proxy_code + encode(["address"], [at.SAFE_SINGLETON])
    salt = keccak(keccak(setup) + encode(["uint256"], [0]))
    safe = created_by_salt(at.SAFE_PROXY_FACTORY, salt, init_code)
    if chain.code(safe, "pending"):
        return safe, None
    create = calldata("createProxyWithNonce(address,bytes,uint256)", at.SAFE_SINGLETON, setup, 0)
    return safe, chain.send_as(DEPLOYER, at.SAFE_PROXY_FACTORY, create)


def create_authorizer(chain: Anvil, artifacts: Artifacts, plan: Plan, operators: str) -> tuple[str, str | None]:
    """The receiver-authorizer's address, and the transaction that creates it unless it is there already."""
    owner = plan.authorizer_owner or operators
    init_code = artifacts.creation(
        "ReceiverAuthorizer",
        ("address", "address", "address", "address", "uint40"),
        [at.ESCROW, owner, plan.authorizer_signer, plan.relay, plan.rotation_delay],
    )
    authorizer = created_by_salt(at.CREATE2_DEPLOYER, CREATE2_SALT, init_code)
    if chain.code(authorizer, "pending"):
        return authorizer, None
    return authorizer, chain.send_as(DEPLOYER, at.CREATE2_DEPLOYER, CREATE2_SALT + init_code)


def mint(chain: Anvil, plan: Plan) -> str | None:
    """Raise the payer's token balance to the plan's; returns the transaction, if one was needed."""
    balance_of = calldata("balanceOf(address)", plan.payer)
    missing = plan.payer_tokens - int.from_bytes(chain.call(plan.token, balance_of, "pending"), "big")
    if missing <= 0:
        return None
    return chain.send_as(DEPLOYER, plan.token, calldata("mint(address,uint256)", plan.payer, missing))


def describe_token(chain: Anvil, token: str) -> Token:
    """Name, version and decimals as the chain has them, since they are what clients sign over."""
    (name,) = decode(["string"], chain.call(token, calldata("name()")))
    (version,) = decode(["string"], chain.call(token, calldata("version()")))
    (decimals,) = decode(["uint8"], chain.call(token, calldata("decimals()")))
    return Token(token, name, version, decimals)


class DeployCommand:
    """The command `contracts`: `deploy` for payments, the other verbs for the high-value contracts."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.description = "Contracts on a local chain."
        verbs = parser.add_subparsers(dest="verb", required=True)
        for verb, told in settlement.VERBS.items():
            settlement.configure(verb, verbs.add_parser(verb, help=told))
        guarded_safe.configure(verbs.add_parser(guarded_safe.VERB, help="create a guarded Safe; may be run again"))
        deploying = verbs.add_parser("deploy", help="put all contracts on a local Anvil; may be run again")
        add = deploying.add_argument
        add("--rpc", required=True, metavar="URL", help="an Anvil with chain id 31337 or 84532")
        add(
            "--out",
            required=True,
            type=Path,
            metavar="FILE",
            help="addresses, as JSON, written when all is done",
        )
        add(
            "--artifacts",
            type=Path,
            metavar="DIR",
            help="NAME.json with abi and bytecode (default: installed)",
        )
        add(
            "--safe-artifacts",
            type=Path,
            metavar="DIR",
            help="Safe's (default: node_modules above --artifacts)",
        )
        add(
            "--brake",
            required=True,
            type=arguments.address,
            metavar="ADDRESS",
            help="the brake that stops deposits",
        )
        add("--payer", required=True, type=arguments.address, metavar="ADDRESS", help="who gets the test tokens")
        add(
            "--payer-tokens",
            type=arguments.natural,
            default=DEFAULT_PAYER_TOKENS,
            metavar="UNITS",
            help="smallest units",
        )
        add("--owners", required=True, type=arguments.addresses, metavar="A,B,C", help="of the operators' Safe")
        add("--threshold", type=arguments.natural, default=2, help="signatures that Safe needs (default 2)")
        add(
            "--treasury",
            type=arguments.address,
            metavar="ADDRESS",
            help="whom channels pay (default: that Safe)",
        )
        add(
            "--authorizer-signer",
            required=True,
            type=arguments.address,
            metavar="ADDRESS",
            help="signs claims and refunds",
        )
        add(
            "--authorizer-owner",
            type=arguments.address,
            metavar="ADDRESS",
            help="rotates that key (default: the operators' Safe)",
        )
        add("--rotation-delay", type=arguments.natural, default=DEFAULT_ROTATION_DELAY, metavar="SECONDS")
        add("--relay", required=True, type=arguments.address, metavar="ADDRESS", help="sends deposits and claims")
        add(
            "--token",
            type=arguments.address,
            default=at.BASE_SEPOLIA_USDC,
            metavar="ADDRESS",
            help="where the token stands",
        )
        add(
            "--fund",
            type=arguments.address,
            action="append",
            default=[],
            metavar="ADDRESS",
            help="also gets native currency",
        )

    def run(self, args: argparse.Namespace) -> int:
        """0 when everything stands and the file is written, 1 with one line on stderr otherwise."""
        if args.verb in settlement.VERBS:
            return settlement.run(args)
        if args.verb == guarded_safe.VERB:
            return guarded_safe.run(args)
        plan = Plan(
            brake=args.brake,
            payer=args.payer,
            owners=args.owners,
            threshold=args.threshold,
            authorizer_owner=args.authorizer_owner,
            authorizer_signer=args.authorizer_signer,
            rotation_delay=args.rotation_delay,
            relay=args.relay,
            token=args.token,
            payer_tokens=args.payer_tokens,
            funded=tuple(args.fund),
            treasury=args.treasury,
        )
        try:
            if not 1 <= plan.threshold <= len(plan.owners):
                raise ChainError(f"a Safe of {len(plan.owners)} owners cannot need {plan.threshold} signatures")
            artifacts = find_artifacts(args.artifacts, args.safe_artifacts)
            with Anvil(args.rpc) as chain:
                addresses = deploy(chain, artifacts, plan)
            write_addresses(args.out, addresses)
        except (ChainError, ArtifactError, AddressFileError) as error:
            print(f"lockgate contracts deploy: {error}", file=sys.stderr)
            return 1
        return 0


command = DeployCommand()
