/**
 * The child of `runInNamespace`: enters a namespace (unless it was started in one), calls the scene it is told, and reports.
 */
import { bringUp, enterNetworkNamespace, setSysctl } from '../../src/link/tun-namespace.ts';
import type { SceneCall, SceneReport } from './namespace.ts';

function enter(): void {
  if (process.env['TUNSTACK_TEST_NAMESPACE'] === 'entered') bringUp('lo');
  else enterNetworkNamespace();
  // A namespace takes over the initial one's choice, which may be BBR. Reno is allowed everywhere; a scene that wants
  // CUBIC asks for it on its route (TunLink.addRoute).
  setSysctl('net.ipv4.tcp_congestion_control', 'reno');
}

async function play({ moduleUrl, scene, args }: SceneCall): Promise<SceneReport> {
  try {
    enter();
    const scenes = (await import(moduleUrl)) as Record<string, (...args: readonly unknown[]) => unknown>;
    const act = scenes[scene];
    if (act === undefined) throw new Error(`${moduleUrl} exports no ${scene}`);
    return { kind: 'result', value: await act(...args) };
  } catch (error) {
    return { kind: 'error', stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

// `on`, not `once`: a listener keeps the process alive while a scene waits for a link alone.
process.on('message', (call: SceneCall) => {
  void play(call).then((report) => process.send?.(report, () => process.disconnect()));
});
