import { expect } from 'chai';
import type { DnsResolver } from '../../src/net/dns-resolver.ts';
import type { DNSError } from '../../src/net/errors.ts';
import type { DnsConfig } from '../../src/net/resolv-conf.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { a, type Behaviour, DnsServers, RECURSION_AVAILABLE, replyBytes, TRUNCATED } from '../support/dns-servers.ts';
import { rejection } from '../support/pair.ts';

const SERVER = '10.9.0.1:53';
const OTHER = '10.9.0.3:53';

describe('net/dns-exchange', () => {
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

  describe('lies', () => {
    const truth = { answers: [a('web.example', '10.9.0.7')], after: 50 };
    const ip4 = () => start().lookupHost('web.example', { network: 'ip4' });
    const lies: [what: string, behaviour: Behaviour][] = [
      ['another id', ({ query }) => [{ id: (query.id ?? 0) ^ 1, answers: [a('web.example', '6.6.6.6')] }]],
      [
        'another name',
        () => [{ questions: [{ type: 'A', name: 'bank.example' }], answers: [a('web.example', '6.6.6.6')] }],
      ],
      [
        'another type',
        () => [{ questions: [{ type: 'AAAA', name: 'web.example' }], answers: [a('web.example', '6.6.6.6')] }],
      ],
      [
        'another class',
        () => [
          { questions: [{ type: 'A', name: 'web.example', class: 'CH' }], answers: [a('web.example', '6.6.6.6')] },
        ],
      ],
      ['no question', () => [{ questions: [], answers: [a('web.example', '6.6.6.6')] }]],
      ['a query for an answer', () => [{ type: 'query', answers: [a('web.example', '6.6.6.6')] }]],
      ['nothing', () => [{ bytes: new Uint8Array(0) }]],
      ['half a header', () => [{ bytes: new Uint8Array(11) }]],
      ['a header alone', (asked) => [{ bytes: replyBytes(asked, {}).subarray(0, 12) }]],
      [
        'a name that points at itself',
        (asked) => [{ bytes: Uint8Array.of(...replyBytes(asked, {}).subarray(0, 12), 0xc0, 12, 0, 1, 0, 1) }],
      ],
    ];
    for (const [what, behaviour] of lies) {
      it(`passes over ${what}`, async () => {
        servers.on(SERVER, (asked) => [...behaviour(asked), truth]);
        expect(await run(ip4())).to.deep.equal(['10.9.0.7']);
        expect(clock.now()).to.equal(50);
      });
    }

    it('takes the question in any case', async () => {
      servers.on(SERVER, () => [{ ...truth, questions: [{ type: 'A', name: 'WEB.Example' }] }]);
      expect(await run(ip4())).to.deep.equal(['10.9.0.7']);
    });

    it('does not take two questions for one', async () => {
      servers.on(SERVER, () => [
        {
          questions: [
            { type: 'A', name: 'web.example' },
            { type: 'A', name: 'b.example' },
          ],
          ...truth,
        },
      ]);
      expect((await fail(ip4())).message).to.equal(`lookup web.example on ${SERVER}: invalid DNS response`);
    });

    it('does not wait for the truth beyond the timeout, however many lies there are', async () => {
      servers.on(SERVER, ({ query }) =>
        Array.from({ length: 60 }, (_, i) => ({ id: (query.id ?? 0) + 1, after: i * 100 })),
      );
      const error = await fail(start({ attempts: 1 }).lookupHost('web.example', { network: 'ip4' }));
      expect(clock.now()).to.equal(5000);
      expect(error).to.include({ isTimeout: true });
    });

    it('takes nothing from an answer that comes late', async () => {
      servers
        .on(SERVER, () => [{ answers: [a('web.example', '6.6.6.6')], after: 5500 }])
        .on(OTHER, () => [{ ...truth, after: 1000 }]);
      expect(
        await run(start({ servers: [SERVER, OTHER] }).lookupHost('web.example', { network: 'ip4' })),
      ).to.deep.equal(['10.9.0.7']);
      expect(clock.now()).to.equal(6000);
    });

    it('passes over records that nobody asked for', async () => {
      servers.on(SERVER, () => [
        {
          answers: [
            { type: 'TXT', name: 'web.example', data: 'hello' },
            ...truth.answers,
            { type: 'SOA', name: 'x', data: { mname: 'a', rname: 'b' } },
          ],
          authorities: [a('evil.example', '6.6.6.6')],
          additionals: [a('web.example', '6.6.6.6')],
        },
      ]);
      expect(await run(ip4())).to.deep.equal(['10.9.0.7']);
    });

    it('keeps the addresses before the place where a message cannot be read', async () => {
      servers.on(SERVER, (asked) => {
        const bytes = replyBytes(asked, { answers: [...truth.answers, a('web.example', '10.9.0.8')] });
        return [{ bytes: bytes.subarray(0, -1) }];
      });
      expect(await run(ip4())).to.deep.equal(['10.9.0.7']);
    });

    it('reads names that point in circles as what cannot be read', async () => {
      servers.on(SERVER, (asked) => {
        const bytes = replyBytes(asked, { answers: truth.answers });
        const name = bytes.length - 4 - 10 - 'web.example'.length - 2;
        // Points at itself, and what follows is as it was.
        return [{ bytes: Uint8Array.of(...bytes.subarray(0, name), 0xc0, name, ...bytes.subarray(-14)) }];
      });
      expect((await fail(ip4())).message).to.equal(`lookup web.example on ${SERVER}: cannot unmarshal DNS message`);
    });
  });

  describe('TCP', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => a('web.example', `10.${i >>> 16}.${(i >>> 8) & 0xff}.${i & 0xff}`));
    const ip4 = (resolver: DnsResolver) => resolver.lookupHost('web.example', { network: 'ip4' });

    it('is what a cut answer leads to, with the same id', async () => {
      servers.on(SERVER, ({ network }) => [
        network === 'udp'
          ? { flags: TRUNCATED, answers: [a('web.example', '6.6.6.6')] }
          : { answers: [a('web.example', '10.9.0.7')] },
      ]);
      expect(await run(ip4(start()))).to.deep.equal(['10.9.0.7']);
      expect(servers.log).to.deep.equal([`udp ${SERVER} A web.example`, `tcp ${SERVER} A web.example`]);
      expect(servers.asked[0]?.query.id).to.equal(servers.asked[1]?.query.id);
    });

    it('may carry 64 KiB', async () => {
      const answers = many(2400);
      servers.on(SERVER, ({ network }) => [network === 'udp' ? { flags: TRUNCATED } : { answers }]);
      const found = await run(ip4(start()));
      expect(found).to.have.lengthOf(2400);
      expect(found.at(-1)).to.equal('10.0.9.95');
    });

    it('may be cut, too: what is there is taken', async () => {
      servers.on(SERVER, () => [{ flags: TRUNCATED | RECURSION_AVAILABLE, answers: [a('web.example', '10.9.0.7')] }]);
      expect(await run(ip4(start()))).to.deep.equal(['10.9.0.7']);
    });

    it('is used from the start when told to', async () => {
      servers.on(SERVER, () => [{ answers: [a('web.example', '10.9.0.7')] }]);
      expect(await run(ip4(start({ useTcp: true })))).to.deep.equal(['10.9.0.7']);
      expect(servers.log).to.deep.equal([`tcp ${SERVER} A web.example`]);
    });

    const wrong: [what: string, behaviour: Behaviour, text: string][] = [
      ['another id', ({ query }) => [{ id: (query.id ?? 0) ^ 1 }], 'invalid DNS response'],
      ['garbage', () => [{ bytes: Uint8Array.of(0, 5, 1, 2, 3, 4, 5) }], 'cannot unmarshal DNS message'],
      ['the end at once', () => [{ bytes: new Uint8Array(0) }], 'EOF'],
      [
        'the end in the middle',
        () => [{ bytes: Uint8Array.of(0, 50, 1, 2, 3) }, { bytes: new Uint8Array(0), after: 2 }],
        'unexpected EOF',
      ],
    ];
    for (const [what, behaviour, text] of wrong) {
      it(`with ${what}: ${text}`, async () => {
        servers.on(SERVER, behaviour);
        expect((await fail(ip4(start({ useTcp: true })))).message).to.equal(`lookup web.example on ${SERVER}: ${text}`);
        expect(servers.asked).to.have.lengthOf(2);
      });
    }

    it('may be refused', async () => {
      servers.on('10.9.0.4:53', () => [{ flags: TRUNCATED }]);
      const error = await fail(ip4(start({ useTcp: true })));
      expect(error.message).to.equal(
        `lookup web.example on ${SERVER}: dial tcp ${SERVER}: connect: connection refused`,
      );
      expect(error.temporary).to.equal(true);
    });
  });
});
