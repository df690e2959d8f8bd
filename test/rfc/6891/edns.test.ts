import { expect } from 'chai';
import type { Answer } from 'dns-packet';
import { VirtualClock } from '../../../src/time/virtual-clock.ts';
import { a, DnsServers } from '../../support/dns-servers.ts';
import { rejection } from '../../support/pair.ts';

const SERVER = '10.9.0.1:53';

describe('RFC 6891: EDNS', () => {
  let clock: VirtualClock;
  let servers: DnsServers;
  const lookup = () => servers.resolver({ attempts: 1 }).lookupHost('web.example', { network: 'ip4' });
  const opt = (extendedRcode: number): Answer => ({
    type: 'OPT',
    name: '.',
    extendedRcode,
    udpPayloadSize: 4096,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  });

  beforeEach(() => {
    clock = new VirtualClock();
    servers = new DnsServers(clock);
  });

  it('6.1.1, 6.2.3: a query has one OPT record, at the root, that tells which size is welcome', async () => {
    servers.on(SERVER, () => [{ answers: [a('web.example', '10.9.0.7')], additionals: [opt(0)] }]);
    expect(await clock.run({ until: lookup() })).to.deep.equal(['10.9.0.7']);
    const additionals = servers.asked[0]?.query.additionals ?? [];
    expect(additionals).to.have.lengthOf(1);
    expect(additionals[0]).to.include({ type: 'OPT', name: '.', ednsVersion: 0, extendedRcode: 0, flags: 0 });
    // 6.2.5: what fits a packet that passes everywhere.
    expect(additionals[0]).to.include({ udpPayloadSize: 1232 });
  });

  it('6.2.3: an answer of that size is read whole', async () => {
    const padding: Answer = { type: 'TXT', name: 'web.example', data: 'x'.repeat(200) };
    const answers = [...Array.from({ length: 5 }, () => padding), a('web.example', '10.9.0.7')];
    servers.on(SERVER, () => [{ answers }]);
    expect(await clock.run({ until: lookup() })).to.deep.equal(['10.9.0.7']);
  });

  it('6.1.3: the upper bits of the response code lie in the OPT record', async () => {
    // 16, BADVERS, whose lower bits are those of success.
    servers.on(SERVER, () => [{ answers: [a('web.example', '6.6.6.6')], additionals: [opt(1)] }]);
    expect((await clock.run({ until: rejection(lookup()) })).message).to.match(/server misbehaving$/);
  });

  it('7: a server that does not know it says so, and another is asked', async () => {
    servers.on(SERVER, () => [{ rcode: 1 }]).on('10.9.0.3:53', () => [{ answers: [a('web.example', '10.9.0.7')] }]);
    const resolver = servers.resolver({ servers: [SERVER, '10.9.0.3:53'] });
    expect(await clock.run({ until: resolver.lookupHost('web.example', { network: 'ip4' }) })).to.deep.equal([
      '10.9.0.7',
    ]);
  });
});
