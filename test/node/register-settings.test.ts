/** What `tunstack/register` says of environment variables that are wrong: which one, and what was expected. Nothing is opened before. */
import { expect } from 'chai';
import { hostOf } from '../../src/node/register/settings.ts';
import { deviceSettings, SettingError } from '../../src/node/register/variables.ts';

const ON = { TUNSTACK_ADDRESS: '10.9.0.2/24' };

describe('tunstack/register: settings', () => {
  const wrong: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ TUNSTACK_ADRESS: '10.9.0.2/24' }, /there is no TUNSTACK_ADRESS; there are TUNSTACK_TUN, TUNSTACK_ADDRESS/],
    [{ TUNSTACK_ADDRESS: '' }, /TUNSTACK_ADDRESS must be addresses with .* such as 10\.9\.0\.2\/24.*; got nothing$/],
    [{ TUNSTACK_ADDRESS: '10.9.0.2' }, /TUNSTACK_ADDRESS must be .*; got 10\.9\.0\.2$/],
    [{ TUNSTACK_ADDRESS: '10.9.0.2/24,' }, /TUNSTACK_ADDRESS must be/],
    [{ TUNSTACK_ADDRESS: '10.9.0.2/33' }, /TUNSTACK_ADDRESS must be/],
    [{ TUNSTACK_TUN: 'tun9' }, /TUNSTACK_TUN needs TUNSTACK_ADDRESS, such as/],
    [{ TUNSTACK_PEER: '10.9.0.1/24' }, /TUNSTACK_PEER needs TUNSTACK_ADDRESS/],
    [{ TUNSTACK_GATEWAY: '10.9.0.1' }, /TUNSTACK_GATEWAY needs TUNSTACK_ADDRESS/],
    [{ TUNSTACK_MTU: '1400' }, /TUNSTACK_MTU needs TUNSTACK_ADDRESS/],
    [{ TUNSTACK_PCAP: 'x.pcapng' }, /TUNSTACK_PCAP needs TUNSTACK_ADDRESS/],
    [{ ...ON, TUNSTACK_TUN: 'a/b' }, /TUNSTACK_TUN must be a device's name.*; got a\/b$/],
    [{ ...ON, TUNSTACK_TUN: 'sixteen-bytes-xx' }, /TUNSTACK_TUN must be a device's name/],
    [{ ...ON, TUNSTACK_PEER: '10.9.0.1' }, /TUNSTACK_PEER must be addresses with/],
    [{ ...ON, TUNSTACK_PEER: '10.9.0.2/24' }, /TUNSTACK_PEER is the kernel's end, but 10\.9\.0\.2 is the host's own/],
    [{ ...ON, TUNSTACK_GATEWAY: '10.9.0.1/24' }, /TUNSTACK_GATEWAY must be addresses, such as 10\.9\.0\.1/],
    [{ ...ON, TUNSTACK_GATEWAY: '10.9.0.2' }, /TUNSTACK_GATEWAY must be somebody else/],
    [{ ...ON, TUNSTACK_MTU: '67' }, /TUNSTACK_MTU must be an integer from 68 to 65535 \(bytes\); got 67$/],
    [{ ...ON, TUNSTACK_MTU: '65536' }, /TUNSTACK_MTU must be/],
    [{ ...ON, TUNSTACK_MTU: '1e3' }, /TUNSTACK_MTU must be/],
    [{ ...ON, TUNSTACK_PCAP: '' }, /TUNSTACK_PCAP must be the name of a file; got nothing/],
    [{ ...ON, TUNSTACK_PCAP: '/no/such/folder/x' }, /TUNSTACK_PCAP must be a file that can be written; got .*ENOENT/],
    [{ TUNSTACK_DNS: '' }, /TUNSTACK_DNS must be system, or addresses/],
    [{ TUNSTACK_DNS: 'one.one' }, /TUNSTACK_DNS: one\.one is not an address/],
    [{ TUNSTACK_SYSCTL: 'tcp_sack' }, /TUNSTACK_SYSCTL must be name=value.*; got tcp_sack$/],
    [{ TUNSTACK_SYSCTL: 'tcp_sock=1' }, /TUNSTACK_SYSCTL: tcp_sock: there is no such setting/],
    [{ TUNSTACK_SYSCTL: 'tcp_sack=maybe' }, /TUNSTACK_SYSCTL: tcp_sack must be true or false, got maybe/],
  ];

  for (const [environment, message] of wrong) {
    const title = Object.entries(environment)
      .filter(([name]) => !(name in ON) || Object.keys(environment).length === 1)
      .map((pair) => pair.join('='));
    it(`${title}`, () => {
      expect(() => hostOf(environment)).to.throw(SettingError, message);
    });
  }

  it('are all read', () => {
    const environment = {
      TUNSTACK_ADDRESS: '10.9.0.2/24, 2001:db8::2/64',
      TUNSTACK_PEER: '10.9.0.1/24,2001:db8::1/64',
      TUNSTACK_TUN: 'tun7',
      TUNSTACK_MTU: '9000',
      TUNSTACK_PCAP: 'x.pcapng',
    };
    const read = {
      name: 'tun7',
      addresses: ['10.9.0.2/24', '2001:db8::2/64'],
      peers: ['10.9.0.1/24', '2001:db8::1/64'],
      gateways: ['10.9.0.1', '2001:db8::1'],
      mtu: 9000,
      pcap: 'x.pcapng',
    };
    expect(deviceSettings(environment)).to.deep.equal(read);
    const elsewhere = { ...environment, TUNSTACK_GATEWAY: '10.9.0.3' };
    expect(deviceSettings(elsewhere)).to.deep.equal({ ...read, gateways: ['10.9.0.3'] });
  });
});
