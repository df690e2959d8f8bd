/**
 * The child of `runInNamespace`: for each scene it is told it enters a new namespace, plays it, and reports.
 */
import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { enterNetworkNamespace, setSysctl } from '../../src/link/tun-namespace.ts';
import type { SceneCall, SceneReport } from './namespace.ts';

/** What it has open: files, sockets, devices, and processes it has started. */
function held(): number {
  return (
    readdirSync('/proc/self/fd').length +
    process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length
  );
}

/** A scene may give up what is root's. */
const USER = process.getuid?.();

/** How long what a scene has closed may take to be gone, ms. */
const CLOSING = 100;

async function play({ moduleUrl, scene, args }: SceneCall): Promise<SceneReport> {
  try {
    enterNetworkNamespace();
    // A namespace takes over the initial one's choice, which may be BBR. Reno is allowed everywhere; a scene that wants
    // CUBIC asks for it on its route (TunLink.addRoute).
    setSysctl('net.ipv4.tcp_congestion_control', 'reno');
    const scenes = (await import(moduleUrl)) as Record<string, (...args: readonly unknown[]) => unknown>;
    const act = scenes[scene];
    if (act === undefined) throw new Error(`${moduleUrl} exports no ${scene}`);
    const before = held();
    const value = await act(...args);
    for (let waited = 0; held() > before && waited < CLOSING; waited += 5) await setTimeout(5);
    return { kind: 'result', value, clean: held() <= before && process.getuid?.() === USER };
  } catch (error) {
    return { kind: 'error', stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

// `on`, not `once`: a listener keeps the process alive while a scene waits for a link alone.
process.on('message', (call: SceneCall) => {
  void play(call).then((report) => {
    const goesOn = report.kind === 'result' && report.clean;
    process.send?.(report, () => goesOn || process.disconnect());
  });
});
