/** `node dist/examples/tun2socks/main.js --address 10.9.0.1/24 --route 192.0.2.0/24 ...`: see examples/README.md. */
import { parseArgs } from 'node:util';
import type { LinkOptions } from 'tunstack';
import { createHost, openTun } from 'tunstack/node';
import { proxy } from './proxy.ts';

const { values } = parseArgs({
  options: {
    /** The kernel's end of the device, of one family or of both. */
    address: { type: 'string', multiple: true, default: ['10.9.0.1/24'] },
    /** Networks that the kernel is to send into the device. */
    route: { type: 'string', multiple: true, default: [] },
    /** The addresses that connections are opened from. */
    from: { type: 'string', multiple: true, default: [] },
    name: { type: 'string' },
    mtu: { type: 'string', default: '1500' },
  },
});

const link = openTun({ mtu: Number(values.mtu), ...(values.name === undefined ? {} : { name: values.name }) });
for (const address of values.address) link.setAddress(address);
for (const route of values.route) link.addRoute(route);

const host = createHost({
  links: [{ link, address: values.address.map(neighbour), acceptAny: true } satisfies LinkOptions],
});
const from = (six: boolean) => values.from.find((address) => address.includes(':') === six);
host.forward((syn) => proxy(syn, { from4: from(false), from6: from(true) }));
console.log(`${link.interfaceName}: what the kernel routes here is proxied`);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void host.close().then(() => process.exit());
  });

/** An address of our own next to the kernel's: 10.9.0.1/24 gives 10.9.0.2/24. */
function neighbour(cidr: string): string {
  const [, head = '', last = '', bits = ''] = /^(.*?)([0-9a-f]+)\/(\d+)$/.exec(cidr) ?? [];
  const radix = cidr.includes(':') ? 16 : 10;
  return `${head}${(Number.parseInt(last, radix) + 1).toString(radix)}/${bits}`;
}
