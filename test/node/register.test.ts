/** `node --import tunstack/register`: unmodified programs over a host in memory do what they do on Node's own net. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as tunScenes from './register-tun-scenes.ts';

const SCENES = fileURLToPath(new URL('register-scenes.js', import.meta.url));
const REGISTER = new URL('../../src/register.js', import.meta.url).href;

interface Ended {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

function node(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '', ...env } });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    errors += text;
  });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, output, errors })));
}

const lines = ({ output }: Ended) =>
  output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('tunstack/register', function () {
  this.timeout(60_000);

  const names = [
    'http',
    'https',
    'tls',
    'http2',
    'halfClosed',
    'http2Connecting',
    'tlsEnd',
    'tlsNothing',
    'http2Tunnel',
    'http2LastWords',
    'tlsAlone',
    'tlsEvents',
    'tlsUnder',
    'tlsHalfOpen',
    'tlsUnref',
    'fetch',
    'express',
    'fastify',
    'ws',
    'errors',
    'signals',
    'machine',
    'cluster',
  ];
  it(`${names.join(', ')}: as on Node's own`, async () => {
    const [own, ours] = await Promise.all([node([SCENES, ...names]), node(['--import', REGISTER, SCENES, ...names])]);
    expect([own.errors, own.status], 'without').to.deep.equal(['', 0]);
    expect([ours.errors, ours.status], 'with').to.deep.equal(['', 0]);
    expect(lines(ours)).to.deep.equal(lines(own));
    expect(lines(ours).length).to.equal(names.length);
  });

  it('the kernel has no socket of it', async () => {
    expect(lines(await node([SCENES, 'where']))).to.deep.equal([{ where: true }]);
    expect(lines(await node(['--import', REGISTER, SCENES, 'where']))).to.deep.equal([{ where: false }]);
  });

  it('settings that are wrong end the program at once, with one line that says which', async () => {
    const ended = await node(['--import', REGISTER, '-e', 'console.log(1)'], { TUNSTACK_MTU: '1400' });
    expect([ended.status, ended.output]).to.deep.equal([1, '']);
    expect(ended.errors).to.match(/^tunstack\/register: TUNSTACK_MTU needs TUNSTACK_ADDRESS, such as .*\n$/);
  });

  it('a close() of the program that throws does not fail its end', async () => {
    const program =
      'const s = require("net").createServer().listen(0).unref(); s.close = () => { throw new Error("mine"); }';
    const ended = await node(['--import', REGISTER, '-e', program]);
    expect([ended.errors, ended.status]).to.deep.equal(['', 0]);
  });

  it('http that was loaded before it is an error', async () => {
    const early = 'data:text/javascript,import "node:http"';
    const ended = await node(['--import', early, '--import', REGISTER, '-e', '1']);
    expect(ended.status).to.equal(1);
    expect(ended.errors).to.match(/was loaded before it/);
  });
});

describeWithTun('tunstack/register on a TUN device', function () {
  this.timeout(60_000);
  const run = inNamespace(tunScenes);

  it('a program that exits, or is ended by a signal, leaves to its peers what it has written, and an end', async () => {
    const all = { read: 'last words', length: 50_000, end: 'end' };
    expect(await run.exits()).to.deep.equal([
      { status: 3, ...all },
      { status: 'SIGTERM', ...all },
    ]);
  });
});
