import { expect } from 'chai';
import packet from 'dns-packet';
import type { DnsConn } from '../../../src/net/dns-exchange.ts';
import { nodeDnsCodec } from '../../../src/node/dns-codec.ts';
import { VirtualClock } from '../../../src/time/virtual-clock.ts';
import { a, DnsServers, replyBytes, TRUNCATED, zone } from '../../support/dns-servers.ts';
import { rejection } from '../../support/pair.ts';

const SERVER = '10.9.0.1:53';
const GOOD = zone({ 'A web.example': [a('web.example', '10.9.0.7')] });

describe('RFC 1035: the resolver', () => {
  let clock: VirtualClock;
  let servers: DnsServers;
  const lookup = (name = 'web.example') => servers.resolver().lookupHost(name, { network: 'ip4' });
  const run = <T>(until: Promise<T>) => clock.run({ until });

  beforeEach(() => {
    clock = new VirtualClock();
    servers = new DnsServers(clock);
  });

  it('2.3.4: labels have 63 bytes at most, names 255; what is longer is not asked for', async () => {
    servers.on(SERVER, () => [{ answers: [a('x', '10.9.0.7')], questions: [] }, { rcode: 3 }]);
    const labels = (...lengths: number[]) => lengths.map((length) => 'x'.repeat(length)).join('.');
    for (const name of [labels(63), labels(63, 63, 63, 61)]) await run(rejection(lookup(name)));
    expect(servers.asked).to.have.lengthOf(2);
    for (const name of [labels(64), labels(63, 63, 63, 62)]) await run(rejection(lookup(name)));
    expect(servers.asked).to.have.lengthOf(2);
  });

  it('4.1.1: a query has an identifier of its own, asks for recursion, and has one question', async () => {
    servers.on(SERVER, GOOD);
    const resolver = servers.resolver();
    for (let i = 0; i < 4; i++) await run(resolver.lookupHost('web.example', { network: 'ip4' }));
    const queries = servers.asked.map(({ query }) => query);
    expect(new Set(queries.map(({ id }) => id))).to.have.property('size', 4);
    for (const query of queries) {
      expect(query).to.include({ type: 'query', opcode: 'QUERY', flag_rd: true, flag_tc: false, flag_aa: false });
      expect(query.questions).to.deep.equal([{ type: 'A', name: 'web.example', class: 'IN' }]);
      expect([query.answers, query.authorities]).to.deep.equal([[], []]);
    }
  });

  it('4.1.1: an answer with another identifier is none', async () => {
    servers.on(SERVER, ({ query }) => [
      { id: ((query.id ?? 0) + 1) & 0xffff, answers: [a('web.example', '6.6.6.6')] },
      { answers: [a('web.example', '10.9.0.7')], after: 9 },
    ]);
    expect(await run(lookup())).to.deep.equal(['10.9.0.7']);
  });

  it('4.1.4: names may point back, within names and alone', () => {
    // web.example, an alias www -> pointer to web.example, and an address under that pointer.
    const question = packet
      .encode({ type: 'response', flags: 0x180, questions: [{ type: 'A', name: 'web.example' }] })
      .subarray(12);
    const alias = [3, 0x77, 0x77, 0x77, 0xc0, 16, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12];
    const address = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 9, 0, 7];
    const bytes = Uint8Array.of(0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0, ...question, ...alias, ...address);
    const message = nodeDnsCodec.decode(bytes);
    expect(message?.answersAreCut).to.equal(false);
    expect(message?.answers.map(({ type, name }) => `${type} ${name}`)).to.deep.equal([
      'CNAME www.example.',
      'A web.example.',
    ]);
    expect(message?.answers[0]).to.include({ target: 'web.example.' });
  });

  it('4.1.4: names that point at themselves or ahead are not names', async () => {
    for (const pointer of [29, 31, 40, 200]) {
      servers.on(SERVER, (asked) => {
        const bytes = Uint8Array.from(replyBytes(asked, { answers: [a('web.example', '10.9.0.7')] }));
        // In place of the name, whose first two bytes those are.
        bytes.set([0xc0, pointer], 29);
        return [{ bytes }];
      });
      expect((await run(rejection(lookup()))).message).to.match(/cannot unmarshal DNS message$/);
    }
  });

  it('4.2.1: what is truncated is asked for again over a stream', async () => {
    servers.on(SERVER, (asked) => (asked.network === 'udp' ? [{ flags: TRUNCATED }] : GOOD(asked)));
    expect(await run(lookup())).to.deep.equal(['10.9.0.7']);
    expect(servers.asked.map(({ network }) => network)).to.deep.equal(['udp', 'tcp']);
  });

  it('4.2.2: on a stream a message comes after its length, in whatever pieces', async () => {
    const sent: number[] = [];
    servers.on(SERVER, (asked) => {
      const message = replyBytes(asked, { answers: [a('web.example', '10.9.0.7')] });
      const framed = [0, message.length, ...message];
      return framed.map((byte, i) => ({ bytes: Uint8Array.of(byte), after: i + 1 }));
    });
    const { dial } = servers;
    const watched = servers.resolver({ useTcp: true });
    Object.defineProperty(servers, 'dial', {
      value: async (...args: Parameters<typeof dial>) => {
        const conn: DnsConn = await dial(...args);
        const write = conn.write.bind(conn);
        conn.write = (bytes, options) => {
          sent.push(...bytes);
          return write(bytes, options);
        };
        return conn;
      },
    });
    expect(await run(watched.lookupHost('web.example', { network: 'ip4' }))).to.deep.equal(['10.9.0.7']);
    await run(servers.resolver({ useTcp: true }).lookupHost('web.example', { network: 'ip4' }));
    expect((sent[0] as number) * 256 + (sent[1] as number)).to.equal(sent.length - 2);
  });

  it('7.1: a name error is final, a failing server is not', async () => {
    servers.on(SERVER, () => [{ rcode: 3 }]).on('10.9.0.3:53', GOOD);
    const two = { servers: [SERVER, '10.9.0.3:53'] };
    expect((await run(rejection(servers.resolver(two).lookupHost('web.example')))).message).to.match(/no such host$/);
    servers.on(SERVER, () => [{ rcode: 2 }]);
    expect(await run(servers.resolver(two).lookupHost('web.example'))).to.deep.equal(['10.9.0.7']);
  });
});
