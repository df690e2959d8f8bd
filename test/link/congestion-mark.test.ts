import { expect } from 'chai';
import { markCongestion } from '../../src/link/congestion-mark.ts';
import { Packet } from '../../src/link/packet.ts';
import { Slab } from '../../src/link/slab.ts';
import { fold, sum } from '../../src/wire/checksum.ts';
import { writeIpv4 } from '../../src/wire/ipv4.ts';

function packet(fill: (view: DataView) => void): Packet {
  const chunk = new Slab().take();
  const made = new Packet(chunk, 0);
  fill(chunk.view);
  made.length = 60;
  return made;
}

const ipv4 = (tos: number) => packet((view) => writeIpv4(view, 0, 60, tos, 0, true, 64, 6, 0x0a00_0001, 0x0a00_0002));
const ipv6 = (trafficClass: number) => packet((view) => view.setUint32(0, (6 << 28) | (trafficClass << 20) | 0x12345));

describe('link/congestion-mark', () => {
  it('RFC 3168 5: ECT(0), ECT(1) and CE become CE; the other bits stay, and the checksum is right', () => {
    for (const ecn of [1, 2, 3]) {
      const marked = ipv4(0xb8 | ecn);
      expect(markCongestion(marked)).to.equal(true);
      expect(marked.chunk.view.getUint8(1)).to.equal(0xbb);
      expect(fold(sum(marked.chunk.view, 0, 20))).to.equal(0xffff);
    }
  });

  it('RFC 3168 5: what is not ECN-capable is not marked', () => {
    const plain = ipv4(0xb8);
    expect(markCongestion(plain)).to.equal(false);
    expect(plain.chunk.view.getUint8(1)).to.equal(0xb8);
    expect(markCongestion(ipv6(0xb8))).to.equal(false);
  });

  it("IPv6's traffic class, which lies across two bytes, likewise", () => {
    const marked = ipv6(0xba);
    expect(markCongestion(marked)).to.equal(true);
    expect(marked.chunk.view.getUint32(0)).to.equal(0x6bb1_2345);
  });

  it('a stump of a packet is left alone', () => {
    const stump = ipv4(2);
    stump.length = 19;
    expect(markCongestion(stump)).to.equal(false);
  });

  it('in a frame the packet lies behind the header; what is no IP is left alone', () => {
    const framed = packet((view) => {
      view.setUint16(12, 0x0800);
      writeIpv4(view, 14, 46, 1, 0, true, 64, 6, 0x0a00_0001, 0x0a00_0002);
    });
    expect(markCongestion(framed, 14)).to.equal(true);
    expect([framed.chunk.view.getUint8(15), fold(sum(framed.chunk.view, 14, 20))]).to.deep.equal([3, 0xffff]);
    framed.chunk.view.setUint16(12, 0x0806);
    framed.chunk.view.setUint8(15, 1);
    expect(markCongestion(framed, 14)).to.equal(false);
  });
});
