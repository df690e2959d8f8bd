import { expect } from 'chai';
import { pseudoHeader } from '../../src/tcp/signer.ts';
import { IpAddress } from '../../src/wire/address.ts';

describe('what is signed', () => {
  it('RFC 8200 8.1: begins with the addresses as they are on the wire, without a zone', () => {
    const [source, destination] = ['fe80::1', 'fe80::2'].map((text) =>
      (IpAddress.parse(text) as IpAddress).withZone(3),
    );
    const bytes = pseudoHeader(source as IpAddress, destination as IpAddress, 20);
    const address = (last: number) => [0xfe, 0x80, ...new Array<number>(13).fill(0), last];
    expect([...bytes]).to.deep.equal([...address(1), ...address(2), 0, 0, 0, 20, 0, 0, 0, 6]);
  });
});
