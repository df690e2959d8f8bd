/** Links that take little, for hosts with many addresses: nothing is ever sent that a link does not take, for links may throw at that. */
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { createEthernet } from '../../src/link/ethernet.ts';
import type { Link } from '../../src/link/link.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { createSwitch } from '../../src/link/switch.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { pattern, readFully, rejection } from '../support/pair.ts';

const BYTES = 5000;

function twoHosts(kind: 'pipe' | 'Ethernet', mtu: number, family: 4 | 6) {
  const clock = new VirtualClock();
  const ethernet = createSwitch({ clock, seed: 1, mtu, offload: false });
  const port = (): Link => createEthernet(ethernet.port(), { seed: 1 + mtu });
  const [near, far] = kind === 'pipe' ? createPipe({ mtu }) : [port(), createEthernet(ethernet.port(), { seed: 2 })];
  const many = Array.from({ length: 40 }, (_, i) => (family === 6 ? `fd00::1:${i + 1}/64` : `10.0.1.${i + 1}/16`));
  const [own, other] = family === 6 ? ['fd00::1', 'fd00::2'] : ['10.0.0.1', '10.0.0.2'];
  const bits = family === 6 ? 64 : 16;
  const client = createHost({ link: near, address: [`${own}/${bits}`, ...many], clock, seed: 1 });
  const server = createHost({ link: far, address: `${other}/${bits}`, clock, seed: 2 });
  const close = () => clock.run({ until: Promise.all([client.close({ timeout: 0 }), server.close({ timeout: 0 })]) });
  return { clock, client, server, close, to: family === 6 ? `[${other}]` : other };
}

describe('narrow links', () => {
  for (const kind of ['pipe', 'Ethernet'] as const)
    for (const family of [4, 6] as const)
      for (const mtu of family === 4 ? [68, 100, 576] : [80, 100, 576, 1279])
        it(`${kind}, IPv${family}, ${mtu} bytes: TCP and UDP get through`, async () => {
          const t = twoHosts(kind, mtu, family);
          const { clock, client, server } = t;
          // Addresses are tried out.
          await clock.advance(10_000);
          const listener = await server.listen('tcp', ':80');
          const [dialled, accepted] = await clock.run({
            until: Promise.all([client.dial('tcp', `${t.to}:80`), listener.accept()]),
          });
          const bytes = pattern(BYTES);
          const [, got] = await clock.run({ until: Promise.all([dialled.write(bytes), readFully(accepted, BYTES)]) });
          expect(Buffer.compare(got, bytes)).to.equal(0);
          const [nobody, somebody] = [await client.dial('udp', `${t.to}:9`), await client.dial('udp', `${t.to}:7`)];
          const conn = await server.listenPacket('udp', ':7');
          await clock.run({ until: Promise.all([nobody.write(bytes), somebody.write(bytes.subarray(0, 1500))]) });
          expect(await clock.run({ until: conn.readFrom(new Uint8Array(BYTES)) })).to.include({ n: 1500 });
          const refused = await clock.run({ until: rejection(nobody.read(new Uint8Array(1))) });
          expect(refused).to.have.property('code', 'ECONNREFUSED');
          await t.close();
        });

  for (const kind of ['pipe', 'Ethernet'] as const)
    it(`${kind}, IPv6, 68 bytes: what does not fit is not sent, and a dial takes its time`, async () => {
      const t = twoHosts(kind, 68, 6);
      await t.clock.advance(10_000);
      const dialled = rejection(t.client.dial('tcp', `${t.to}:80`, { timeout: 500 }));
      expect(await t.clock.run({ until: dialled })).to.have.property('timeout', true);
      await t.close();
    });
});
