// The unmodified TypeScript clients. argv: scheme, RPC URL or "-", then URLs to pay in order, "refund" + URL to refund.
// The private key comes by the environment, never by argv. Prints one JSON line an answer.
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from "@x402/fetch";
import { ExactEvmScheme, toClientEvmSigner } from "@x402/evm";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/client";
import { createPublicClient, defineChain, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const [scheme, rpcUrl, ...steps] = process.argv.slice(2);
const account = privateKeyToAccount(process.env.PAYER_KEY);
const chainId = Number(process.env.CHAIN_ID);
const chain = defineChain({
  id: chainId,
  name: "local",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [rpcUrl === "-" ? "http://127.0.0.1:1" : rpcUrl] } },
});
const signer = rpcUrl === "-" ? account : toClientEvmSigner(account, createPublicClient({ chain, transport: http() }));
const ways = scheme === "exact" ? new ExactEvmScheme(signer) : new BatchSettlementEvmScheme(signer);
const client = new x402Client();
client.setSpendControls(false);
client.register(`eip155:${chainId}`, ways);
const pay = wrapFetchWithPayment(fetch, client);

for (let at = 0; at < steps.length; at++) {
  if (steps[at] === "refund") {
    const settled = await ways.refund(steps[++at]);
    console.log(JSON.stringify({ status: 200, settled }));
    continue;
  }
  const response = await pay(steps[at], { method: "GET" });
  const header = response.headers.get("PAYMENT-RESPONSE");
  const settled = header ? decodePaymentResponseHeader(header) : null;
  console.log(JSON.stringify({ status: response.status, body: await response.text(), settled }));
}
