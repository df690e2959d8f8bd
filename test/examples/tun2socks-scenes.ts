/** What tun2socks.test.ts plays: a client and the proxy in one namespace, servers behind a veth pair in another, to which only the proxy has a way. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ip, Neighbour } from '../support/veth.ts';

export const moduleUrl = import.meta.url;

const MAIN = fileURLToPath(new URL('../../examples/tun2socks/main.js', import.meta.url));
const SERVERS = ['192.0.2.2', '2001:db8:2::2'];
const PROXY = ['10.7.0.1', 'fd07::1'];
/** A web server with one large page; and one that takes all that comes, then says how much it was, byte by byte, and closes. */
const SERVE = `
const { createHash } = require('node:crypto');
const page = Buffer.alloc(SIZE);
for (let i = 0; i < page.length; i += 32) createHash('sha256').update(String(i)).digest().copy(page, i);
require('node:http').createServer((_, response) => response.end(page)).listen(80, '::', () =>
  require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
    let got = 0;
    socket.on('data', (data) => { got += data.length; });
    socket.on('end', () => socket.end(Buffer.alloc(got, 7)));
  }).listen(81, '::', () => console.log(createHash('sha256').update(page).digest('hex'))));
`;

interface Setup {
  readonly neighbour: Neighbour;
  readonly server: ChildProcess;
  readonly proxy: ChildProcess;
  readonly hash: string;
}

async function setUp(size: number): Promise<Setup> {
  const neighbour = await Neighbour.start(['10.7.0.1/24', 'fd07::1/64'], ['10.7.0.2/24', 'fd07::2/64']);
  for (const address of [`${SERVERS[0]}/32`, `${SERVERS[1]}/128`])
    neighbour.run('ip', 'addr', 'add', address, 'dev', 'lo', ...(address.includes(':') ? ['nodad'] : []));
  neighbour.run('ip', 'link', 'set', 'lo', 'up');
  // To the servers the kernel knows one way, into the device; but what comes from the proxy's address goes over the veth pair.
  for (const [family, from, via] of [
    ['-4', PROXY[0], '10.7.0.2'],
    ['-6', PROXY[1], 'fd07::2'],
  ] as const) {
    ip(family, 'rule', 'add', 'from', from as string, 'lookup', '100');
    ip(family, 'route', 'add', 'default', 'via', via, 'table', '100');
  }
  const [program, ...entry] = neighbour.entry;
  const script = SERVE.replace('SIZE', String(size));
  const server = spawn(program, [...entry, process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const addresses = ['--address', '10.9.0.1/24', '--address', 'fd09::1/64'];
  const routes = ['--route', '192.0.2.0/24', '--route', '2001:db8:2::/64'];
  const from = PROXY.flatMap((address) => ['--from', address]);
  const proxy = spawn(process.execPath, ['--enable-source-maps', MAIN, ...addresses, ...routes, ...from], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [[hash]] = await Promise.all([once(server.stdout as never, 'data'), once(proxy.stdout as never, 'data')]);
  return { neighbour, server, proxy, hash: String(hash).trim() };
}

/** Downloads a page of `size` bytes over IPv4 and IPv6; what curl says of a closed port; whether pings are answered; what comes after one has sent and ended. */
export async function play(size: number) {
  const setup = await setUp(size);
  try {
    const downloads = SERVERS.map((server) => download(server, size, setup.hash));
    const closed = spawnSync('curl', ['--silent', '--show-error', '--max-time', '10', `http://${SERVERS[0]}:82/`]);
    const ping = spawnSync('ping', ['-c', '1', '-W', '0.2', SERVERS[0] as string]);
    const socket = connect({ host: SERVERS[0], port: 81, allowHalfOpen: true });
    socket.end(Buffer.alloc(1_000_000));
    let returned = 0;
    socket.on('data', (data: Buffer) => (returned += data.length));
    await once(socket, 'end');
    return {
      downloads,
      closed: { status: closed.status, said: closed.stderr.toString() },
      ping: ping.status,
      returned,
    };
  } finally {
    setup.proxy.kill();
    setup.server.kill();
    setup.neighbour.end();
  }
}

function download(server: string, size: number, hash: string) {
  const url = server.includes(':') ? `http://[${server}]/` : `http://${server}/`;
  const curl = spawnSync('curl', ['--silent', '--show-error', '--max-time', '15', url], { maxBuffer: 2 * size });
  if (curl.error !== undefined) throw curl.error;
  const got = createHash('sha256').update(curl.stdout).digest('hex');
  return { bytes: curl.stdout.length, equal: got === hash, said: curl.stderr.toString() };
}
