import { expect } from 'chai';
import fc from 'fast-check';
import { OK, VIRTIO_NET_BAD_HEADER } from '../../src/wire/reasons.ts';
import {
  checkVirtioNet,
  readVirtioNet,
  VirtioNetHeader,
  VNET_GSO_ECN,
  VNET_GSO_NONE,
  VNET_GSO_TCPV4,
  VNET_HEADER_LENGTH,
  VNET_NEEDS_CSUM,
  writeVirtioNet,
} from '../../src/wire/virtio-net.ts';
import { everywhere, fromHex, viewOf } from './everywhere.ts';

const uint16 = fc.nat(0xffff);

describe('wire/virtio-net', () => {
  it('lies in memory as the kernel has it', () => {
    const bytes = new Uint8Array(VNET_HEADER_LENGTH);
    writeVirtioNet(viewOf(bytes), 0, VNET_NEEDS_CSUM, VNET_GSO_TCPV4, 52, 1448, 20, 16);
    expect(bytes).to.deep.equal(fromHex('01 01 3400 a805 1400 1000'));
  });

  it('reads what it wrote', () => {
    const gsoType = fc.constantFrom(0, 1, 3, 4, 5);
    fc.assert(
      fc.property(fc.nat(3), gsoType, fc.boolean(), uint16, uint16, uint16, uint16, (flags, kind, ecn, ...rest) => {
        const [hdrLen, gsoSize, csumStart, csumOffset] = rest;
        const bytes = new Uint8Array(VNET_HEADER_LENGTH);
        writeVirtioNet(
          viewOf(bytes),
          0,
          flags,
          kind | (ecn ? VNET_GSO_ECN : 0),
          hdrLen,
          gsoSize,
          csumStart,
          csumOffset,
        );
        const header = new VirtioNetHeader();
        everywhere(bytes, (view, offset) => readVirtioNet(view, offset, header));
        expect({ ...header }).to.deep.equal({ flags, gsoType: kind, ecn, hdrLen, gsoSize, csumStart, csumOffset });
      }),
    );
  });

  it('refuses a header that cannot be true of its packet', () => {
    const check = (fields: Partial<VirtioNetHeader>) =>
      checkVirtioNet(Object.assign(new VirtioNetHeader(), fields), 100);
    expect(check({})).to.equal(OK);
    expect(check({ gsoType: VNET_GSO_TCPV4, gsoSize: 1448 })).to.equal(OK);
    expect(check({ gsoType: VNET_GSO_TCPV4, gsoSize: 0 })).to.equal(VIRTIO_NET_BAD_HEADER);
    expect(check({ gsoType: 2, gsoSize: 9 })).to.equal(VIRTIO_NET_BAD_HEADER);
    expect(check({ gsoType: 6, gsoSize: 9 })).to.equal(VIRTIO_NET_BAD_HEADER);
    expect(check({ gsoType: VNET_GSO_NONE, flags: VNET_NEEDS_CSUM, csumStart: 82, csumOffset: 16 })).to.equal(OK);
    expect(check({ flags: VNET_NEEDS_CSUM, csumStart: 83, csumOffset: 16 })).to.equal(VIRTIO_NET_BAD_HEADER);
    expect(check({ flags: 0, csumStart: 65535, csumOffset: 65535 })).to.equal(OK);
  });
});
