/** What the runs against the kernel have in common. */

/** Minutes in place of seconds: 200 MB where there are 20, floods of 20 s. `npm run soak:kernel`. */
export const LONG = process.env['TUNSTACK_LONG'] === '1';

/** For one scene, ms. */
export const TEST_LIMIT = LONG ? 180_000 : 25_000;

export const COMBINATIONS = [
  { title: 'mtu 1500, offload', options: { mtu: 1500, offload: true } },
  { title: 'mtu 1500, no offload', options: { mtu: 1500, offload: false } },
  { title: 'mtu 65535, offload', options: { mtu: 65_535, offload: true } },
  { title: 'mtu 65535, no offload', options: { mtu: 65_535, offload: false } },
] as const;

/** A scene that waits more than it works: it plays while the others of its suite do. The result is to be asked for within a test. */
export function patient<T>(play: () => Promise<T>): () => Promise<T> {
  let playing: Promise<T> | undefined;
  before(() => {
    playing = play();
    playing.catch(() => {});
  });
  return () => playing as Promise<T>;
}
