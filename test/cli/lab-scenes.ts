/** What lab.test.ts plays in namespaces that are not the lab's own: there its TUN device is in everybody's sight. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { runLab } from '../../src/lab/lab.ts';
import type { LabNetwork } from '../../src/lab/lab-network.ts';
import type { LinkKind } from '../../src/lab/lab-options.ts';
import { openTun } from '../../src/link/tun.ts';
import { bringUp } from '../../src/link/tun-namespace.ts';
import { NetlinkMessage } from '../../src/link/tun-netlink-message.ts';
import { tunSystem } from '../../src/link/tun-system.ts';
import { command, type Ended, Running } from './command.ts';

export const moduleUrl = import.meta.url;

const NETWORK: LabNetwork = { host: '10.9.0.2', peer: '10.9.0.1', bits: 24 };

/** The interfaces that have an address, but for lo. */
function interfaces(): string[] {
  return Object.keys(networkInterfaces()).filter((name) => name !== 'lo');
}

export async function toTheEnd(...args: string[]): Promise<Ended & { left: string[] }> {
  return { ...(await command('lab', '--once', ...args)), left: interfaces() };
}

/** While it serves; then a signal. */
export async function signalled(signal: NodeJS.Signals) {
  const lab = new Running(['lab', '--link', 'tun']);
  await lab.shows(/^Serving/m);
  const during = interfaces();
  lab.child.kill(signal);
  const { code, signal: by, stderr } = await lab.ended;
  return { during, code, by, stderr, left: interfaces() };
}

/** A connection is open when the lab is told to end. @returns what its peer, in the kernel, hears of it */
export async function tellsPeers(): Promise<string[]> {
  const lab = new Running(['lab', '--link', 'tun']);
  await lab.shows(/^Serving/m);
  const heard: string[] = [];
  const client = connect(7, NETWORK.host);
  await once(client, 'connect');
  client.write('hello');
  heard.push(`${await once(client, 'data')}`);
  const over = new Promise<void>((resolve) => {
    client.once('end', () => resolve(void heard.push('end')));
    client.once('error', (error) => resolve(void heard.push(error.message)));
  });
  lab.child.kill('SIGINT');
  await lab.ended;
  await Promise.race([over, setTimeout(500)]);
  client.destroy();
  return heard;
}

export async function collides(address: string): Promise<Ended> {
  const other = openTun({ name: 'other0', address });
  const ended = await command('lab', '--once', '--link', 'tun');
  other.close();
  return ended;
}

/** Somebody deletes the interface under it. */
export async function deleted(): Promise<Ended> {
  const lab = new Running(['lab', '--link', 'tun']);
  await lab.shows(/^Serving/m);
  const RTM_DELLINK = 17;
  const IFLA_IFNAME = 3;
  const message = new NetlinkMessage(RTM_DELLINK, 1).zeros(16).text(IFLA_IFNAME, 'tun0');
  const system = tunSystem();
  const fd = system.socket(16, 3, 0);
  system.send(fd, system.addressOf(message.finish(1)), message.length, 0);
  return lab.ended;
}

/** An ordinary user on a machine that has no program to make namespaces with; in this process, whose namespace is its own. */
export async function asNobody(link: LinkKind | undefined): Promise<{ text: string; problem: string }> {
  bringUp('lo');
  process.env['PATH'] = '/nowhere';
  process.setgid?.(65_534);
  process.setuid?.(65_534);
  let text = '';
  const out = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString();
      done();
    },
  });
  const options = { link, once: true, network: NETWORK, mtu: 1500, offload: true, pcap: undefined, color: undefined };
  try {
    await runLab(options, out, new AbortController().signal);
    return { text, problem: '' };
  } catch (error) {
    return { text, problem: `${(error as Error).name}: ${(error as Error).message}` };
  }
}
