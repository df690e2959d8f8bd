import { expect } from 'chai';
import type { Answer } from 'dns-packet';
import type { DnsResolver } from '../../src/net/dns-resolver.ts';
import { DNSError } from '../../src/net/errors.ts';
import type { DnsConfig } from '../../src/net/resolv-conf.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { AUTHORITATIVE, a, aaaa, type Behaviour, cname, DnsServers, replyBytes, zone } from '../support/dns-servers.ts';
import { rejection } from '../support/pair.ts';

const SERVER = '10.9.0.1:53';
const OTHER = '10.9.0.3:53';

describe('net/dns-resolver', () => {
  let clock: VirtualClock;
  let servers: DnsServers;

  const start = (config: Partial<DnsConfig> = {}, hosts = '') => servers.resolver(config, { hosts });
  const run = <T>(until: Promise<T>) => clock.run({ until });
  const fail = async (promise: Promise<unknown>) => (await run(rejection(promise))) as DNSError;

  beforeEach(() => {
    clock = new VirtualClock();
    servers = new DnsServers(clock);
  });
  afterEach(async () => {
    await clock.advance(100_000);
    expect(servers.open, 'connections').to.equal(0);
    expect(clock.pending.held, 'held').to.equal(0);
  });

  describe('addresses', () => {
    it('asks for both families at once, with an id, recursion desired and EDNS', async () => {
      servers.on(
        SERVER,
        zone({ 'A web.example': [a('web.example', '10.9.0.7')], 'AAAA web.example': [aaaa('web.example', 'fd00::7')] }),
      );
      expect(await run(start().lookupHost('web.example'))).to.have.members(['10.9.0.7', 'fd00::7']);
      expect(servers.log).to.deep.equal([`udp ${SERVER} A web.example`, `udp ${SERVER} AAAA web.example`]);
      const [first, second] = servers.asked;
      expect(first?.query.id).to.not.equal(second?.query.id);
      expect(first?.query.flag_rd).to.equal(true);
      expect(first?.query.flag_ad).to.equal(false);
      const [opt] = first?.query.additionals ?? [];
      expect(opt).to.include({ type: 'OPT', udpPayloadSize: 1232 });
      expect(clock.now()).to.equal(1);
    });

    it('asks for the family that is wanted', async () => {
      servers.on(SERVER, zone({ 'A web.example': [a('web.example', '10.9.0.7')] }));
      expect(await run(start().lookupHost('web.example', { network: 'ip4' }))).to.deep.equal(['10.9.0.7']);
      expect((await fail(start().lookupHost('web.example', { network: 'ip6' }))).message).to.equal(
        `lookup web.example on ${SERVER}: no such host`,
      );
      expect(servers.log).to.deep.equal([`udp ${SERVER} A web.example`, `udp ${SERVER} AAAA web.example`]);
      expect((await fail(start().lookupHost('web.example', { network: 'tcp' as never }))).message).to.equal(
        'unknown network tcp',
      );
      expect((await run(start().lookupIP('ip4', 'web.example'))).map(String)).to.deep.equal(['10.9.0.7']);
      expect((await fail(start().lookupIP('ip6', '10.9.0.7'))).message).to.equal(
        'address 10.9.0.7: no suitable address found',
      );
    });

    it('follows aliases within an answer, whatever their order', async () => {
      const chain: Answer[] = [
        cname('www.example', 'web.example'),
        cname('web.example', 'host.example'),
        a('host.example', '10.9.0.7'),
      ];
      servers.on(SERVER, zone({ 'A www.example': chain, 'A rev.example': [...chain].reverse() }));
      expect(await run(start().lookupHost('www.example'))).to.deep.equal(['10.9.0.7']);
      expect(await run(start().lookupHost('rev.example'))).to.deep.equal(['10.9.0.7']);
      expect(await run(start().lookupCNAME('www.example'))).to.equal('host.example.');
    });

    it('is not held by aliases in a circle', async () => {
      const circle = [cname('a.example', 'b.example'), cname('b.example', 'a.example')];
      servers.on(SERVER, zone({ 'A a.example': circle, 'AAAA a.example': circle }));
      const error = await fail(start().lookupHost('a.example'));
      expect(error.message).to.equal(`lookup a.example on ${SERVER}: no such host`);
      expect(servers.asked).to.have.lengthOf(2);
    });

    it('has no questions about literals, nor about what is no name', async () => {
      const resolver = start();
      for (const literal of ['10.9.0.7', 'fd00::7', 'fe80::1%eth0'])
        expect(await run(resolver.lookupHost(literal))).to.deep.equal([literal]);
      for (const text of [
        '',
        '127.0.0.256',
        'a b',
        '-a',
        'a-',
        'a..b',
        `${'x'.repeat(64)}.example`,
        'ex☺',
        '1.2.3.4%eth0',
        'x.onion',
      ]) {
        const error = await fail(resolver.lookupHost(text));
        expect(error.message, text).to.equal(`lookup ${text}: no such host`);
        expect(error).to.include({ isNotFound: true, timeout: false, temporary: false, code: 'ENOTFOUND' });
      }
      expect(servers.log).to.deep.equal([]);
    });

    it('gives the sources of the hosts table before any server', async () => {
      const hosts = '10.9.0.7 Web.example web alias # not me\nfe80::7%eth0 web\n10.9.0.8 web.example';
      const resolver = start({}, hosts);
      expect(await run(resolver.lookupHost('web'))).to.deep.equal(['10.9.0.7', 'fe80::7%eth0']);
      expect(await run(resolver.lookupHost('WEB.EXAMPLE.'))).to.deep.equal(['10.9.0.7', '10.9.0.8']);
      expect(await run(resolver.lookupCNAME('alias'))).to.equal('web.example.');
      expect(await run(resolver.lookupAddr('10.9.0.7'))).to.deep.equal(['Web.example.', 'web', 'alias']);
      expect(await run(resolver.lookupAddr('fe80::7%eth0'))).to.deep.equal(['web']);
      expect(servers.log).to.deep.equal([]);
    });

    it('knows localhost, unless the hosts table has it otherwise', async () => {
      expect(await run(start().lookupHost('localhost'))).to.deep.equal(['127.0.0.1', '::1']);
      expect(await run(start().lookupHost('db.LocalHost.'))).to.deep.equal(['127.0.0.1', '::1']);
      expect(await run(start({}, '127.0.0.9 localhost').lookupHost('localhost'))).to.deep.equal(['127.0.0.9']);
      expect(servers.log).to.deep.equal([]);
    });

    it('asks nobody when there is nobody', async () => {
      expect((await fail(start({ servers: [] }).lookupHost('web.example'))).message).to.equal(
        'lookup web.example: no such host',
      );
    });
  });

  describe('the search list', () => {
    const nothing: Behaviour = () => [{ rcode: 3 }];
    const questions = () => servers.asked.map(({ question }) => question).filter((text) => text.startsWith('A '));
    const cases: [what: string, name: string, config: Partial<DnsConfig>, asked: string[]][] = [
      ['a bare name', 'web', {}, ['web.lab.example', 'web.example', 'web']],
      ['a name with a dot', 'web.lab', {}, ['web.lab', 'web.lab.lab.example', 'web.lab.example']],
      ['a name with too few dots', 'a.b', { ndots: 2 }, ['a.b.lab.example', 'a.b.example', 'a.b']],
      ['a bare name when none is too few', 'web', { ndots: 0 }, ['web', 'web.lab.example', 'web.example']],
      ['a rooted name', 'web.', {}, ['web']],
    ];
    for (const [what, name, config, asked] of cases) {
      it(`of ${what}`, async () => {
        servers.on(SERVER, nothing);
        const error = await fail(start({ search: ['lab.example.', 'example.'], ...config }).lookupHost(name));
        expect(questions()).to.deep.equal(asked.map((each) => `A ${each}`));
        expect(error.message).to.equal(`lookup ${name} on ${SERVER}: no such host`);
      });
    }

    it('ends with the first name that has addresses', async () => {
      servers.on(SERVER, zone({ 'A web.example': [a('web.example', '10.9.0.7')] }));
      expect(await run(start({ search: ['lab.example.', 'example.', 'com.'] }).lookupHost('web'))).to.deep.equal([
        '10.9.0.7',
      ]);
      expect(questions()).to.deep.equal(['A web.lab.example', 'A web.example']);
    });

    it('passes over names that would be too long', async () => {
      servers.on(SERVER, nothing);
      const label = 'x'.repeat(60);
      const long = [label, label, label, label].join('.');
      await fail(start({ search: ['lab.example.', 'e.'] }).lookupHost(long));
      expect(questions()).to.deep.equal([`A ${long}`, `A ${long}.e`]);
    });

    it('goes on after a failure, and reports the first', async () => {
      servers.on(SERVER, ({ question }) => [{ rcode: question.endsWith('lab.example') ? 2 : 3 }]);
      const error = await fail(start({ search: ['lab.example.'] }).lookupHost('web'));
      expect(error.message).to.equal(`lookup web on ${SERVER}: server misbehaving`);
      expect(error).to.include({ temporary: true, isNotFound: false });
      servers.on(SERVER, ({ question }) => [question === 'A web' ? { answers: [a('web', '10.9.0.7')] } : { rcode: 2 }]);
      expect(await run(start({ search: ['lab.example.'] }).lookupHost('web'))).to.deep.equal(['10.9.0.7']);
    });
  });

  describe('servers', () => {
    const good: Behaviour = zone({ 'A web.example': [a('web.example', '10.9.0.7')] });
    const two = { servers: [SERVER, OTHER] };
    const ip4 = (resolver: DnsResolver) => resolver.lookupHost('web.example', { network: 'ip4' });

    const useless: [what: string, behaviour: Behaviour, text: string, temporary: boolean][] = [
      ['fails', () => [{ rcode: 2 }], 'server misbehaving', true],
      ['refuses', () => [{ rcode: 5 }], 'server misbehaving', false],
      ['does not know EDNS', () => [{ rcode: 1 }], 'server misbehaving', false],
      ['refers to others', () => [{ flags: 0 }], 'lame referral', false],
      [
        'has an unheard-of answer in an OPT record',
        () => [
          {
            additionals: [
              {
                type: 'OPT',
                name: '.',
                extendedRcode: 1,
                udpPayloadSize: 1232,
                ednsVersion: 0,
                flags: 0,
                flag_do: false,
                options: [],
              },
            ],
          },
        ],
        'server misbehaving',
        false,
      ],
      [
        'answers with half a message',
        (asked) => [{ bytes: replyBytes(asked, { answers: [a('web.example', '10.9.0.7')] }).subarray(0, -3) }],
        'cannot unmarshal DNS message',
        false,
      ],
    ];
    for (const [what, behaviour, text, temporary] of useless) {
      it(`that ${what}: the next is asked`, async () => {
        servers.on(SERVER, behaviour).on(OTHER, good);
        expect(await run(ip4(start(two)))).to.deep.equal(['10.9.0.7']);
        expect(servers.log).to.deep.equal([`udp ${SERVER} A web.example`, `udp ${OTHER} A web.example`]);
      });

      it(`that ${what}: ${text}, when there is no other`, async () => {
        servers.on(SERVER, behaviour);
        const error = await fail(ip4(start()));
        expect(error).to.be.instanceOf(DNSError);
        expect(error.message).to.equal(`lookup web.example on ${SERVER}: ${text}`);
        expect(error).to.include({ temporary, timeout: false, isNotFound: false, server: SERVER, host: 'web.example' });
        expect(servers.asked, 'attempts').to.have.lengthOf(2);
      });
    }

    it('that does not answer: the next is asked after the timeout', async () => {
      servers.on(SERVER, () => []).on(OTHER, good);
      expect(await run(ip4(start(two)))).to.deep.equal(['10.9.0.7']);
      expect(clock.now()).to.equal(5001);
    });

    it('that does not answer: i/o timeout after all attempts', async () => {
      servers.on(SERVER, () => []).on(OTHER, () => []);
      const error = await fail(ip4(start({ ...two, timeout: 300, attempts: 3 })));
      expect(clock.now()).to.equal(6 * 300);
      expect(error.message).to.equal(`lookup web.example on ${OTHER}: read udp 10.9.0.2:4000->${OTHER}: i/o timeout`);
      expect(error).to.include({ timeout: true, temporary: true, isNotFound: false, code: 'ETIMEOUT' });
      expect(servers.log.map((line) => line.split(' ')[1])).to.deep.equal([
        SERVER,
        OTHER,
        SERVER,
        OTHER,
        SERVER,
        OTHER,
      ]);
    });

    it('that is not there: connection refused, which may pass', async () => {
      const error = await fail(ip4(start()));
      expect(error.message).to.equal(
        `lookup web.example on ${SERVER}: read udp 10.9.0.2:4000->${SERVER}: read: connection refused`,
      );
      expect(error).to.include({ timeout: false, temporary: true });
    });

    it('that says there is no such name: nobody else is asked', async () => {
      servers.on(SERVER, () => [{ rcode: 3 }]).on(OTHER, good);
      const error = await fail(ip4(start(two)));
      expect(error.message).to.equal(`lookup web.example on ${SERVER}: no such host`);
      expect(error).to.include({ isNotFound: true, temporary: false, timeout: false });
      expect(servers.log).to.have.lengthOf(1);
    });

    it('that says there is no such record: nobody else is asked', async () => {
      servers.on(SERVER, () => [{ flags: AUTHORITATIVE }]).on(OTHER, good);
      expect((await fail(ip4(start(two)))).message).to.equal(`lookup web.example on ${SERVER}: no such host`);
      expect(servers.log).to.have.lengthOf(1);
    });

    it('take turns when told to', async () => {
      servers.on(SERVER, good).on(OTHER, good);
      const resolver = start({ ...two, rotate: true });
      for (let i = 0; i < 3; i++) await run(ip4(resolver));
      expect(servers.log.map((line) => line.split(' ')[1])).to.deep.equal([SERVER, OTHER, SERVER]);
    });

    it('are asked for one family after the other when told to', async () => {
      servers.on(SERVER, good);
      await run(start({ singleRequest: true }).lookupHost('web.example'));
      expect(clock.now()).to.equal(2);
    });

    it('see the AD bit when they are trusted', async () => {
      servers.on(SERVER, good);
      await run(ip4(start({ trustAd: true })));
      expect(servers.asked[0]?.query.flag_ad).to.equal(true);
    });

    it('of which one family fails: the addresses of the other are enough', async () => {
      servers.on(SERVER, (asked) => (asked.question.startsWith('AAAA') ? [{ rcode: 2 }] : good(asked)));
      expect(await run(start().lookupHost('web.example'))).to.deep.equal(['10.9.0.7']);
    });
  });

  describe('other records', () => {
    const PTR = '7.0.9.10.in-addr.arpa';
    const records: Record<string, Answer[]> = {
      'MX example': [
        { type: 'MX', name: 'example', data: { preference: 20, exchange: 'b.example' } },
        { type: 'MX', name: 'example', data: { preference: 10, exchange: 'a.example' } },
        { type: 'MX', name: 'example', data: { preference: 5, exchange: '-bad.example' } },
      ],
      'MX nomail.example': [{ type: 'MX', name: 'nomail.example', data: { preference: 0, exchange: '.' } }],
      'NS example': [{ type: 'NS', name: 'example', data: 'ns.example' }],
      'TXT example': [
        { type: 'TXT', name: 'example', data: ['one ', 'two'] },
        { type: 'TXT', name: 'example', data: 'three' },
      ],
      'SRV _http._tcp.example': [
        { type: 'SRV', name: '_http._tcp.example', data: { priority: 2, weight: 0, port: 81, target: 'b.example' } },
        { type: 'SRV', name: '_http._tcp.example', data: { priority: 1, weight: 5, port: 80, target: 'a.example' } },
      ],
      [`PTR ${PTR}`]: [
        { type: 'PTR', name: PTR, data: 'web.example' },
        { type: 'PTR', name: PTR, data: 'a b.example' },
      ],
      'CNAME only.example': [cname('only.example', 'there.example')],
      'PTR 8.0.9.10.in-addr.arpa': [{ type: 'PTR', name: '8.0.9.10.in-addr.arpa', data: 'a b' }],
    };

    it('are those of mail, names, texts, services and addresses', async () => {
      servers.on(SERVER, zone(records));
      const resolver = start({ search: ['lab.'] });
      expect(await run(resolver.lookupMX('example.'))).to.deep.equal([
        { host: 'a.example.', pref: 10 },
        { host: 'b.example.', pref: 20 },
      ]);
      expect(await run(resolver.lookupMX('nomail.example'))).to.deep.equal([{ host: '.', pref: 0 }]);
      expect(await run(resolver.lookupNS('example'))).to.deep.equal(['ns.example.']);
      expect(await run(resolver.lookupTXT('example'))).to.deep.equal(['one two', 'three']);
      expect(await run(resolver.lookupSRV('http', 'tcp', 'example'))).to.deep.equal({
        cname: '_http._tcp.example.',
        addrs: [
          { target: 'a.example.', port: 80, priority: 1, weight: 5 },
          { target: 'b.example.', port: 81, priority: 2, weight: 0 },
        ],
      });
      expect((await run(resolver.lookupSRV('', '', '_http._tcp.example'))).addrs).to.have.lengthOf(2);
      expect(await run(resolver.lookupAddr('10.9.0.7'))).to.deep.equal(['web.example.']);
      expect(await run(resolver.lookupCNAME('only.example'))).to.equal('there.example.');
    });

    it('fail as addresses do', async () => {
      servers.on(SERVER, zone(records));
      const resolver = start();
      expect((await fail(resolver.lookupMX('none.example'))).message).to.equal(
        `lookup none.example on ${SERVER}: no such host`,
      );
      expect((await fail(resolver.lookupTXT('a b'))).message).to.equal('lookup a b: no such host');
      expect((await fail(resolver.lookupCNAME('none.example'))).message).to.equal(
        `lookup none.example on ${SERVER}: no such host`,
      );
      expect((await fail(resolver.lookupAddr('web.example'))).message).to.equal(
        'lookup web.example: unrecognized address',
      );
      expect((await fail(resolver.lookupAddr('10.9.0.8'))).message).to.equal(
        `lookup 10.9.0.8 on ${SERVER}: DNS response contained records which contain invalid names`,
      );
    });

    it('are nothing when some of them cannot be read', async () => {
      const [ns] = records['NS example'] as [Answer];
      for (const answers of [[ns], [ns, ns]]) {
        servers.on(SERVER, (asked) => [{ bytes: replyBytes(asked, { answers }).subarray(0, -1) }]);
        expect((await fail(start().lookupNS('example'))).message).to.equal(
          `lookup example on ${SERVER}: cannot unmarshal DNS message`,
        );
      }
    });

    it('may be ports', () => {
      const resolver = start();
      expect(['mine', 'MyService', 'http', '81'].map((name) => resolver.lookupPort('tcp', name))).to.deep.equal([
        7777, 7777, 80, 81,
      ]);
      expect(() => resolver.lookupPort('udp', 'mine')).to.throw(DNSError, 'lookup udp/mine: unknown port');
    });
  });

  describe('lookups at the same time', () => {
    const slow: Behaviour = () => [{ answers: [a('web.example', '10.9.0.7')], after: 100 }];
    const ip4 = (resolver: DnsResolver, signal?: AbortSignal) =>
      resolver.lookupHost('web.example', { network: 'ip4', signal });

    it('are one, and the results belong to each', async () => {
      servers.on(SERVER, slow);
      const resolver = start();
      const [one, two] = await run(
        Promise.all([resolver.lookupIPAddr('web.example'), resolver.lookupIPAddr('web.example')]),
      );
      expect(servers.asked).to.have.lengthOf(2);
      expect(one).to.deep.equal(two);
      expect(one).to.not.equal(two);
      await run(ip4(resolver));
      expect(servers.asked, 'nothing is kept').to.have.lengthOf(3);
    });

    it('are left by one without harm to the others', async () => {
      servers.on(SERVER, slow);
      const resolver = start();
      const controller = new AbortController();
      const first = rejection(ip4(resolver, controller.signal));
      const second = ip4(resolver, new AbortController().signal);
      await clock.advance(50);
      controller.abort();
      const error = (await first) as DNSError;
      expect(error.message).to.equal('lookup web.example: operation was canceled');
      expect(error).to.include({ isTimeout: false, isNotFound: false });
      expect(await run(second)).to.deep.equal(['10.9.0.7']);
      expect(clock.now()).to.equal(100);
    });

    it('end when nobody waits any more', async () => {
      servers.on(SERVER, () => []);
      const resolver = start();
      const controllers = [new AbortController(), new AbortController()];
      const waiting = controllers.map(({ signal }) => rejection(ip4(resolver, signal)));
      await clock.advance(50);
      for (const controller of controllers) controller.abort(new DOMException('late', 'TimeoutError'));
      for (const one of waiting) expect((await one).message).to.equal('lookup web.example: i/o timeout');
      await clock.advance(0);
      expect(servers.open).to.equal(0);
      expect(servers.asked).to.have.lengthOf(1);
      // And the next begins anew.
      servers.on(SERVER, slow);
      expect(await run(ip4(resolver))).to.deep.equal(['10.9.0.7']);
    });

    it('of other records end with their signal', async () => {
      servers.on(SERVER, () => []);
      const controller = new AbortController();
      const waiting = rejection(
        start({ search: ['lab.', 'example.'] }).lookupTXT('web', { signal: controller.signal }),
      );
      await clock.advance(50);
      controller.abort();
      expect((await waiting).message).to.equal(`lookup web on ${SERVER}: operation was canceled`);
      expect(servers.asked).to.have.lengthOf(1);
    });

    it('are not more than 128 questions', async () => {
      servers.on(SERVER, ({ question }) => [{ answers: [a(question.split(' ')[1] as string, '10.9.0.7')], after: 10 }]);
      const resolver = start();
      const all = Promise.all(
        Array.from({ length: 300 }, (_, i) => resolver.lookupHost(`h${i}.example`, { network: 'ip4' })),
      );
      await clock.advance(5);
      expect(servers.open).to.equal(128);
      expect((await run(all)).flat()).to.have.lengthOf(300);
      expect(clock.now()).to.equal(30);
    });
  });

  it('is the same for the same seed', async () => {
    const ids = async () => {
      clock = new VirtualClock();
      servers = new DnsServers(clock).on(SERVER, zone({ 'A web.example': [a('web.example', '10.9.0.7')] }));
      await run(start().lookupHost('web.example'));
      return servers.asked.map(({ query }) => query.id);
    };
    expect(await ids()).to.deep.equal(await ids());
  });
});
