/** RFC 791 3.2, RFC 8200 4.5: which fragments belong together. (In the table their hashes differ, too.) */
import { expect } from 'chai';
import { InboundPacket } from '../../src/ip/inbound.ts';
import { PartialDatagram } from '../../src/ip/partial-datagram.ts';

const fields = ['s0', 's1', 's2', 's3', 'd0', 'd1', 'd2', 'd3', 'identification'] as const;

function fragment(family: 4 | 6): InboundPacket {
  const packet = new InboundPacket();
  packet.family = family;
  for (const [i, field] of fields.entries()) packet[field] = 1000 + i;
  packet.protocol = 17;
  return packet;
}

describe('PartialDatagram.isOf', () => {
  for (const family of [4, 6] as const) {
    for (const field of fields) {
      it(`IPv${family}: not when ${field} differs`, () => {
        const datagram = new PartialDatagram(fragment(family), undefined, 0);
        const other = fragment(family);
        expect(datagram.isOf(other)).to.equal(true);
        other[field]++;
        expect(datagram.isOf(other)).to.equal(false);
      });
    }

    it(`IPv${family}: ${family === 4 ? 'nor when the protocol does' : 'the Next Header may differ'}`, () => {
      const datagram = new PartialDatagram(fragment(family), undefined, 0);
      const other = fragment(family);
      other.protocol = 6;
      expect(datagram.isOf(other)).to.equal(family === 6);
    });
  }
});
