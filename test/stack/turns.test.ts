/** One connection's window does not keep the others waiting: what a flush sends is bounded. */
import { expect } from 'chai';
import type { Link } from '../../src/link/link.ts';
import type { Packet } from '../../src/link/packet.ts';
import { connectedHosts } from '../support/pair.ts';

const SOURCE_PORT = 20;
/** A flush's share of packets, and the super-segment (44 packets of 1448 bytes) that may go beyond it. */
const SHARE = 128 + 44;

/** Notes the source port of each packet that goes out. */
function noting(link: Link, ports: number[]): Link {
  return {
    name: link.name,
    capabilities: link.capabilities,
    attach: (receiver) => link.attach(receiver),
    close: () => link.close(),
    send: (batch) => {
      const taken = link.send(batch);
      for (const { chunk, offset } of batch.packets.slice(0, taken) as Packet[]) {
        ports.push(chunk.view.getUint16(offset + SOURCE_PORT));
      }
      return taken;
    },
  };
}

const ROOMY = [4096, 8_388_608, 33_554_432] as const;

describe('stack: turns', () => {
  it('sends a small message after a part of a large window, not after all of it', async () => {
    const ports: number[] = [];
    const pair = connectedHosts({
      offload: false,
      latency: 1,
      host: { sysctl: { tcp_init_cwnd: 10_000, tcp_rmem: ROOMY, tcp_wmem: ROOMY } },
      wrap: (link, which) => (which === 'server' ? noting(link, ports) : link),
    });
    const large = await pair.connect();
    const small = await pair.connect();
    ports.length = 0;
    const writes = Promise.all([
      large.accepted.write(new Uint8Array(2_000_000)),
      small.accepted.write(new Uint8Array(64)),
    ]);
    await pair.run(writes);
    await pair.clock.advance(5);
    const before = ports.indexOf(small.accepted.localAddr().port);
    const window = ports.filter((port) => port === large.accepted.localAddr().port).length;
    expect(window).to.be.greaterThan(500);
    expect(before).to.be.within(1, SHARE);
    await pair.close();
  });

  it('goes on with the rest by itself, and brings every byte', async () => {
    const pair = connectedHosts({ offload: false, host: { sysctl: { tcp_init_cwnd: 10_000 } } });
    const { dialled, accepted } = await pair.connect();
    const length = 3_000_000;
    const write = accepted.write(new Uint8Array(length));
    const read = async () => {
      const buffer = new Uint8Array(65_536);
      let total = 0;
      while (total < length) total += (await dialled.read(buffer)) ?? length;
      return total;
    };
    const [total] = await pair.run(Promise.all([read(), write]));
    expect(total).to.equal(length);
    await pair.close();
  });
});
