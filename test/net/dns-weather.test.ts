/** The resolver over a bad network: whatever is lost, doubled, late or broken, a lookup ends in time, with the truth or an error, and leaves nothing. */
import { expect } from 'chai';
import fc from 'fast-check';
import { impaired } from '../../src/link/impaired.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { DNSError } from '../../src/net/errors.ts';
import { createHost } from '../../src/node/host.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { serveDns } from '../support/dns-host.ts';
import { a, type Behaviour, TRUNCATED } from '../support/dns-servers.ts';

const MANY = Array.from({ length: 200 }, (_, i) => a('many.example', `10.8.0.${i}`));
/** As a server is: what is too long for a datagram comes over TCP. */
const SERVER: Behaviour = ({ question, network }) => {
  if (question === 'A web.example') return [{ answers: [a('web.example', '10.9.0.1')] }];
  if (question === 'A many.example') return [network === 'udp' ? { flags: TRUNCATED } : { answers: MANY }];
  return [{ rcode: 3 }];
};

async function lookups(seed: number) {
  const clock = new VirtualClock();
  const [near, far] = createPipe({ latency: 5 });
  const both = { loss: 0.2, duplicate: 0.1, reorder: 0.2, corrupt: 0.02 };
  const dns = { servers: ['10.9.0.1'], timeout: 2000, attempts: 4 };
  const client = createHost({ link: impaired(near, { seed, both }), address: '10.9.0.2/24', clock, seed, dns });
  const server = createHost({ link: far, address: '10.9.0.1/24', clock, seed: seed + 0.5 });
  await serveDns(server, SERVER);
  const outcomes = await clock.run({
    until: Promise.all(
      ['web.example', 'many.example', 'nohost.example'].map((name) =>
        client.lookupHost(name, { network: 'ip4' }).catch((error: unknown) => error),
      ),
    ),
  });
  const time = clock.now();
  await clock.advance(200_000);
  const left = client.sockets().length;
  await Promise.all([client.close({ timeout: 0 }), server.close({ timeout: 0 })]);
  await clock.advance(0);
  return { outcomes, time, left, held: clock.pending.held };
}

describe('net/dns, in bad weather', () => {
  it('ends in time, with the truth or an error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const { outcomes, time, left, held } = await lookups(seed);
        const [web, many, nohost] = outcomes;
        if (!(web instanceof DNSError)) expect(web).to.deep.equal(['10.9.0.1']);
        else expect(web.temporary).to.equal(true);
        if (!(many instanceof DNSError)) expect(many).to.have.lengthOf(200);
        else expect(many.temporary).to.equal(true);
        expect(nohost).to.be.instanceOf(DNSError);
        // Four attempts, over UDP and then over TCP.
        expect(time).to.be.at.most(4 * 2 * 2000);
        expect({ left, held }).to.deep.equal({ left: 0, held: 0 });
      }),
      { numRuns: 10 },
    );
  });
});
