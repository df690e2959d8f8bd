import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';

const run = promisify(execFile);

/**
 * Runs `body` in a process of its own, with a `client` and a `server` on a pipe and a `listener`. The process says `ended` when nothing keeps
 * it alive any more, and `alive` when something still does a second later.
 */
async function outcome(body: string): Promise<string> {
  const index = new URL('../../src/index.js', import.meta.url).href;
  const script = `
    import { createHost, createPipe } from '${index}';
    const [near, far] = createPipe();
    const client = createHost({ link: near, address: '10.9.0.1/24' });
    const server = createHost({ link: far, address: '10.9.0.2/24', clock: client.clock });
    const listener = await server.listen('tcp', ':80');
    const say = (what) => { console.log(what); process.exit(); };
    const connect = () => Promise.all([client.dial('tcp', '10.9.0.2:80'), listener.accept()]);
    ${body}
    process.once('beforeExit', () => say('ended'));
    setTimeout(() => say('alive'), 1000).unref();
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
  return stdout;
}

const CONNECT = 'const [dialled, accepted] = await connect();';

const CASES: [what: string, outcome: string, body: string][] = [
  ['not a listener by itself', 'ended\n', ''],
  ['an accept', 'alive\n', 'listener.accept();'],
  ['not an accept of a listener that is unref', 'ended\n', 'listener.unref(); listener.accept();'],
  ['not an idle connection', 'ended\n', CONNECT],
  ['a read', 'alive\n', `${CONNECT} accepted.read(new Uint8Array(1));`],
  [
    'not a read of a connection that is unref',
    'ended\n',
    `${CONNECT} accepted.unref(); accepted.read(new Uint8Array(1));`,
  ],
  ['a write that waits', 'alive\n', `${CONNECT} dialled.write(new Uint8Array(64 * 1024 * 1024));`],
  ['a dial that nobody answers', 'alive\n', "client.dial('tcp', '10.9.0.77:80');"],
  [
    'not a host that is closed',
    'ended\n',
    `${CONNECT} accepted.read(new Uint8Array(1)).catch(() => {}); await server.close(); await client.close();`,
  ],
  [
    'bytes that are on their way, and not what is left of a connection after',
    '100000\nended\n',
    `${CONNECT}
    await dialled.write(new Uint8Array(100_000));
    dialled.close();
    let total = 0;
    for await (const chunk of accepted) total += chunk.length;
    console.log(total);
    accepted.close();`,
  ],
];

describe('what keeps a process alive', function () {
  this.timeout(30_000);

  let outcomes: string[];

  before(async () => {
    outcomes = await Promise.all(CASES.map(([, , body]) => outcome(body)));
  });

  for (const [i, [what, expected]] of CASES.entries()) {
    it(what, () => {
      expect(outcomes[i]).to.equal(expected);
    });
  }
});
