/** What sendFragments makes of a packet, in the interface's batch; the rules are tested in test/rfc/791 and test/rfc/8200. */
import { expect } from 'chai';
import fc from 'fast-check';
import { IpCounters } from '../../src/ip/counters.ts';
import { sendFragments } from '../../src/ip/fragmentation.ts';
import { type Egress, IpPath } from '../../src/ip/path.ts';
import { CHECKSUM_PARTIAL, Packet } from '../../src/link/packet.ts';
import { Slab } from '../../src/link/slab.ts';
import { PMTUDISC_DO, PMTUDISC_DONT, PMTUDISC_OMIT, PMTUDISC_WANT } from '../../src/tcp/path.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { fold, sum } from '../../src/wire/checksum.ts';
import { FragmentBench, putTogether } from '../support/wire-fragment.ts';

const UDP = 17;
const ENDS = {
  4: [IpAddress.v4(0x0a000001), IpAddress.v4(0x0a000002)],
  6: [IpAddress.v6(0xfd000000, 0, 0, 1), IpAddress.v6(0xfd000000, 0, 0, 2)],
} as const;

/** Keeps what is committed, and what it says of the way. */
class Basket implements Egress {
  readonly mtu: number;
  readonly busy = false;
  readonly packets: Uint8Array[] = [];
  readonly hops: (IpAddress | undefined)[] = [];
  readonly #packet = new Packet(new Slab().take(), 0);

  constructor(mtu: number) {
    this.mtu = mtu;
  }

  take(): Packet {
    this.#packet.offset = 96;
    return this.#packet;
  }

  commit(packet: Packet): void {
    const bytes = new Uint8Array(packet.totalLength());
    packet.copyTo(bytes, 0);
    this.packets.push(bytes);
    this.hops.push(packet.nextHop);
    packet.clear();
  }

  relay(packet: Packet): void {
    this.commit(packet);
  }
}

describe('sendFragments', () => {
  for (const family of [4, 6] as const) {
    it(`IPv${family}: whatever the parts, however long: the packet, with its checksum, by way of the gateway`, () => {
      const parts = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 6 });
      fc.assert(
        fc.property(
          fc.integer({ min: 8, max: 120 }),
          parts,
          fc.integer({ min: 68, max: 1500 }),
          (first, lengths, mtu) => {
            const total = lengths.reduce((a, b) => a + b, first);
            const egress = new Basket(mtu);
            const slab = new Slab();
            const gateway = ENDS[family][1];
            const path = new IpPath(egress, ENDS[family][0], ENDS[family][1], UDP, 64, gateway);
            const packet = path.take() as Packet;
            const { bytes, view } = packet.chunk;
            for (let i = 0; i < first; i++) bytes[packet.offset + i] = i * 7 + 1;
            packet.length = first;
            for (const length of lengths) {
              const chunk = slab.take();
              for (let i = 0; i < length; i++) chunk.bytes[i] = i * 13 + length;
              packet.addPart(chunk, 0, length);
              chunk.release();
            }
            view.setUint16(packet.offset + 6, fold(path.pseudoSum + total));
            packet.checksum = CHECKSUM_PARTIAL;
            packet.checksumOffset = 6;
            const before = new Uint8Array(total);
            packet.copyTo(before, 0);
            const counters = new IpCounters();
            sendFragments(path, packet, 0, 1, counters);
            const after = putTogether(egress.packets);
            expect(after.length).to.equal(total);
            expect(egress.hops.every((hop) => hop === gateway)).to.equal(true);
            expect(egress.packets.every(({ length }) => length <= mtu)).to.equal(true);
            expect(fold(path.pseudoSum + total + sum(new DataView(after.buffer), 0, total))).to.equal(0xffff);
            after.set(before.subarray(6, 8), 6);
            expect(Buffer.from(after).equals(before)).to.equal(true);
            expect(slab.live, 'chunks').to.equal(0);
          },
        ),
        { numRuns: 100 },
      );
    });

    it(`IPv${family}: not for those who find out the MTU on their own`, () => {
      for (const [discovery, may] of [
        [PMTUDISC_DONT, true],
        [PMTUDISC_WANT, true],
        [PMTUDISC_DO, false],
        [3, false],
        [4, false],
        [PMTUDISC_OMIT, true],
      ] as const) {
        const t = new FragmentBench(family, { mtu: 1500 });
        const path = t.stack.network.pathTo(ENDS[family][1], undefined, UDP);
        if (path === undefined) throw new Error('there is no way');
        path.discovery = discovery;
        const packet = path.take() as Packet;
        packet.length = 8;
        const chunk = t.stack.slab.take();
        packet.addPart(chunk, 0, 3000);
        chunk.release();
        expect(path.send(packet)).to.equal(may);
        t.stack.network.flush();
        expect(t.link.drain().length).to.equal(may ? 3 : 0);
        expect([t.count('FragOKs'), t.count('FragFails')]).to.deep.equal(may ? [1, 0] : [0, 1]);
        t.close();
      }
    });
  }
});
