/** Links that take 65,535 bytes: what fits into one packet goes in one, and the lengths of both families hold. */
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { pattern, readFully } from '../support/pair.ts';

describe('an MTU of 65,535', () => {
  for (const [family, address, headers] of [
    [4, '10.0.0.2', 40],
    [6, '[fd00::2]', 60],
  ] as const)
    for (const routed of [false, true])
      it(`IPv${family}${routed ? ', through a router' : ''}: segments and datagrams are as large as one packet can be`, async () => {
        const clock = new VirtualClock();
        const [a, x] = createPipe({ mtu: 65_535, offload: false });
        const [y, b] = createPipe({ mtu: 65_535, offload: false });
        const routes = [
          { destination: '0.0.0.0/0', via: '10.0.1.254' },
          { destination: '::/0', via: 'fd01::fe' },
        ];
        const back = [
          { destination: '0.0.0.0/0', via: '10.0.0.254' },
          { destination: '::/0', via: 'fd00::fe' },
        ];
        const near = createHost(
          routed
            ? { link: a, address: ['10.0.1.1/24', 'fd01::1/64'], routes, clock, seed: 1 }
            : { link: a, address: ['10.0.0.1/24', 'fd00::1/64'], clock, seed: 1 },
        );
        const farAddress = ['10.0.0.2/24', 'fd00::2/64'];
        const far = createHost({
          link: routed ? b : x,
          address: farAddress,
          routes: routed ? back : [],
          clock,
          seed: 2,
        });
        const router = routed
          ? createHost({
              links: [
                { link: x, name: 'x', address: ['10.0.1.254/24', 'fd01::fe/64'] },
                { link: y, name: 'y', address: ['10.0.0.254/24', 'fd00::fe/64'] },
              ],
              forwarding: true,
              clock,
              seed: 3,
            })
          : undefined;
        const run = <T>(until: Promise<T>) => clock.run({ until });
        const listener = await far.listen('tcp', `${address}:80`);
        const [dialled, accepted] = await run(Promise.all([near.dial('tcp', `${address}:80`), listener.accept()]));
        // Half of the largest window that the peer has offered, as on Linux.
        expect(dialled.tcpInfo().tcpi_snd_mss).to.be.greaterThan(32_700);
        expect(dialled.tcpInfo().tcpi_advmss).to.equal(65_535 - headers - 12);
        const bytes = pattern(1_000_000);
        const [, got] = await run(Promise.all([dialled.write(bytes), readFully(accepted, bytes.length)]));
        expect(Buffer.compare(got, bytes)).to.equal(0);
        expect(dialled.tcpInfo().tcpi_data_segs_out).to.be.lessThan(50);
        const most = 65_535 - (headers - 20) - 8;
        const udp = await far.listenPacket('udp', `${address}:53`);
        const conn = await run(near.dial('udp', `${address}:53`));
        await run(conn.write(pattern(most)));
        const { data } = await run(udp.readDatagram());
        expect(Buffer.compare(data, pattern(most))).to.equal(0);
        const { FragCreates, Ip6FragCreates } = near.counters;
        expect(FragCreates + Ip6FragCreates).to.equal(0);
        await Promise.all(
          [near, far, ...(router === undefined ? [] : [router])].map((host) => host.close({ timeout: 0 })),
        );
      });
});
