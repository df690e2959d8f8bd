import { Writable } from 'node:stream';
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import type { Lab } from '../../src/lab/lab.ts';
import { type Answer, hostPeer, request } from '../../src/lab/peer.ts';
import { Recorder } from '../../src/lab/recorder.ts';
import { Screen } from '../../src/lab/screen.ts';
import { requestToHost } from '../../src/lab/self-request.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { httpAgent } from '../../src/node/http.ts';
import { ACK, RST, SYN } from '../../src/wire/tcp.ts';
import { segment } from './segments.ts';

const A = { from: [1, 40000], to: [2, 80] } as const;
const B = { from: [2, 80], to: [1, 40000] } as const;

/** What `requestToHost` makes of it when the other end does `act`: what it printed, and what it failed with. */
async function outcome(act: (see: Recorder['watch']) => Promise<Answer>) {
  let text = '';
  const out = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString();
      done();
    },
  });
  const recorder = new Recorder();
  const lab = {
    network: { host: '10.9.0.2', peer: '10.9.0.1', bits: 24 },
    peer: { name: 'kernel', get: () => act(recorder.watch) },
    link: { kind: 'tun', link: { name: 'tun7' } },
    recorder,
    screen: new Screen(out),
  } as unknown as Lab;
  const problem = await requestToHost(lab).then(
    () => '',
    (error: Error) => `${error.name}: ${error.message}`,
  );
  return { text, problem };
}

describe('lab/self-request', () => {
  it('says that there was no answer, shows the SYN, and suspects a firewall', async () => {
    const { text, problem } = await outcome((see) => {
      see(segment({ ...A, seq: 1, flags: SYN }), 'in', 0, 0);
      return Promise.reject(new Error('no answer within 5 s'));
    });
    expect(problem).to.match(
      /^LabError: the request failed: no answer within 5 s: nothing came of the SYN; does a firewall .* over tun7\?/,
    );
    expect(text).to.match(/│── SYN {2}seq 0 {2}win 65535 ─+▶│\n$/);
  });

  it('says what status came in place of 200', async () => {
    const { problem } = await outcome(() => Promise.resolve({ status: 500, body: '' }));
    expect(problem).to.equal('LabError: the request failed: the answer was status 500');
  });

  it('does not take a reset for an end', async () => {
    const { problem } = await outcome((see) => {
      see(segment({ ...A, seq: 1, flags: SYN }), 'in', 0, 0);
      see(segment({ ...B, seq: 9, ack: 2, flags: RST | ACK }), 'out', 1, 0);
      return Promise.resolve({ status: 200, body: '' });
    });
    expect(problem).to.equal('LabError: the request failed: its connection ended: reset by us');
  });
});

describe('lab/peer', () => {
  const pair = () => {
    const [near, far] = createPipe();
    const client = createHost({ link: near, address: '10.9.0.1/24' });
    const server = createHost({ link: far, address: '10.9.0.2/24', clock: client.clock });
    const close = () => Promise.all([client.close({ timeout: 0 }), server.close({ timeout: 0 })]);
    return { client, server, close };
  };

  it('gives up on a server that does not answer', async () => {
    const { client, server, close } = pair();
    const listener = await server.listen('tcp', '10.9.0.2:80');
    const asked = request(httpAgent(client), '10.9.0.2', 80, 20);
    expect(await asked.catch((error: Error) => error.message)).to.equal('no answer within 0.02 s');
    listener.close();
    await close();
  });

  it('serves on a host as on the kernel', async () => {
    const { client, server, close } = pair();
    const served = await hostPeer(server, '10.9.0.2').serve((_, response) => {
      response.writeHead(203).end('here');
    });
    const answer = await hostPeer(client, '10.9.0.1').get('10.9.0.2', served.port, 5000);
    expect(answer).to.deep.equal({ status: 203, body: 'here' });
    served.close();
    await close();
  });
});
