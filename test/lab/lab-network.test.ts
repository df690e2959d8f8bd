import { expect } from 'chai';
import { DEFAULT_ADDRESS, readNetwork } from '../../src/lab/lab-network.ts';

describe('lab/lab-network', () => {
  it('gives the other end the first address that is free', () => {
    expect(readNetwork(DEFAULT_ADDRESS)).to.deep.equal({ host: '10.9.0.2', peer: '10.9.0.1', bits: 24 });
    expect(readNetwork('172.31.99.1/24')).to.deep.equal({ host: '172.31.99.1', peer: '172.31.99.2', bits: 24 });
    expect(readNetwork('192.168.7.130/30')).to.deep.equal({ host: '192.168.7.130', peer: '192.168.7.129', bits: 30 });
    expect(readNetwork('200.1.2.3/8')).to.deep.equal({ host: '200.1.2.3', peer: '200.0.0.1', bits: 8 });
  });

  it('takes an address without a length for one of a network of 256', () => {
    expect(readNetwork('10.1.2.3')).to.deep.equal({ host: '10.1.2.3', peer: '10.1.2.1', bits: 24 });
  });

  it('says what is wrong', () => {
    for (const text of ['', 'x', '10.9.0', '10.9.0.256/24', '10.9.0.2/', '10.9.0.2/33', 'fd00::2/64'])
      expect(readNetwork(text)).to.match(/is no IPv4 address with the length of its network/);
    for (const text of ['10.9.0.2/7', '10.9.0.2/31', '10.9.0.2/32']) expect(readNetwork(text)).to.match(/8 to 30/);
    for (const text of ['10.9.0.0/24', '10.9.0.255/24', '127.0.0.2/8', '224.0.0.1/24', '0.1.2.3/8'])
      expect(readNetwork(text)).to.match(/no address that a host can have/);
  });
});
