/**
 * The lab: a tunstack host that the kernel of this machine can reach, two requests to see how they go, and then a server to play with.
 */
import { createHost, type Host } from '../host.ts';
import { captured } from '../link/captured.ts';
import { LabError } from './lab-error.ts';
import { type LabLink, openLabLink } from './lab-link.ts';
import type { LabNetwork } from './lab-network.ts';
import type { LabOptions } from './lab-options.ts';
import { PcapFile } from './pcap-file.ts';
import { hostPeer, kernelPeer, type Peer } from './peer.ts';
import { Recorder } from './recorder.ts';
import { Screen } from './screen.ts';
import { requestToHost, requestToPeer } from './self-request.ts';
import { HTTP_PORT, startServices } from './services.ts';
import { watch } from './watch.ts';

/** What there is while it runs. */
export interface Lab {
  readonly network: LabNetwork;
  readonly link: LabLink;
  readonly host: Host;
  readonly peer: Peer;
  readonly recorder: Recorder;
  readonly screen: Screen;
}

/** How long what is still open may take to end, ms. */
const CLOSE_TIMEOUT = 300;
/** How often the link is looked at, and with a pipe, how often the second host asks for something, ms. */
const LINK_PERIOD = 500;
const REQUEST_PERIOD = 5000;

/**
 * Runs the lab until `stop` is aborted, or with `once` until the two ladders are printed. Everything it opened is closed when it settles.
 * @throws LabError (as a rejection) when the link cannot be had, a request fails, or the link ends
 */
export async function runLab(options: LabOptions, out: NodeJS.WritableStream, stop: AbortSignal): Promise<void> {
  const screen = new Screen(out, options.color);
  const pcap = options.pcap === undefined ? undefined : new PcapFile(options.pcap, (message) => screen.print(message));
  const undo: (() => unknown)[] = [() => pcap?.close()];
  try {
    const lab = openLab(options, screen, pcap, undo);
    undo.push(await startServices(lab));
    introduce(lab);
    await unlessStopped(stop, () => requestToHost(lab));
    await unlessStopped(stop, () => requestToPeer(lab));
    if (!options.once && !stop.aborted) await serve(lab, stop);
  } finally {
    screen.mute();
    for (const step of undo.reverse()) await step();
  }
}

function openLab(options: LabOptions, screen: Screen, pcap: PcapFile | undefined, undo: (() => unknown)[]): Lab {
  const { network } = options;
  const link = openLabLink(options);
  const recorder = new Recorder();
  const host = createHost({
    link: captured(link.link, { onPacket: recorder.watch, ...(pcap === undefined ? {} : { write: pcap.write }) }),
    address: `${network.host}/${network.bits}`,
    trace: recorder.trace,
  });
  undo.push(() => host.close({ timeout: CLOSE_TIMEOUT }));
  if (link.far === undefined) return { network, link, host, peer: kernelPeer(network.peer), recorder, screen };
  const second = createHost({ link: link.far, address: `${network.peer}/${network.bits}`, clock: host.clock });
  undo.push(() => second.close({ timeout: CLOSE_TIMEOUT }));
  return { network, link, host, peer: hostPeer(second, network.peer), recorder, screen };
}

function introduce({ link, network, screen }: Lab): void {
  screen.print(...link.words.map((line) => `${line}.`));
  if (link.kind === 'pipe') return;
  screen.print(
    'In another terminal, while this runs:',
    `  ${link.enter}curl http://${network.host}/`,
    `  ${link.enter}bash -c 'exec 3<>/dev/tcp/${network.host}/7; echo hello >&3; head -n 1 <&3'`,
  );
}

/** Shows what comes until `stop`. @throws LabError when the link ends */
async function serve(lab: Lab, stop: AbortSignal): Promise<void> {
  const { host, link, peer, network, recorder, screen } = lab;
  const asks = link.kind === 'pipe';
  const every = `every ${REQUEST_PERIOD / 1000} s the second host asks for the page`;
  screen.print(
    '',
    asks ? `Serving; nobody outside can come in, so ${every}. Ctrl-C ends.` : 'Serving. Ctrl-C ends.',
    '',
  );
  const unwatch = watch(host, recorder, screen);
  const timers: NodeJS.Timeout[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      stop.addEventListener('abort', () => resolve(), { once: true });
      const look = () => {
        if (link.isGone()) reject(new LabError(`${link.link.name} is gone: somebody deleted the interface`));
      };
      timers.push(setInterval(look, LINK_PERIOD));
      if (asks)
        timers.push(
          setInterval(() => void peer.get(network.host, HTTP_PORT, REQUEST_PERIOD).catch(() => {}), REQUEST_PERIOD),
        );
    });
  } finally {
    for (const timer of timers) clearInterval(timer);
    unwatch();
  }
}

/** Settles with the work, or when `stop` is aborted: what comes of it then is no longer of interest. */
async function unlessStopped(stop: AbortSignal, begin: () => Promise<void>): Promise<void> {
  if (stop.aborted) return;
  const stopped = new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
  const work = begin();
  work.catch(() => {});
  await Promise.race([work, stopped]);
}
