import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';

const MODULE = new URL('../../src/cli/interruption.js', import.meta.url).href;

/** A process that is interrupted by `signals`, one `pause` ms after the other, and needs `tidying` ms; its status and what it wrote. */
async function interrupted(signals: readonly NodeJS.Signals[], pause: number, tidying: number): Promise<string> {
  const code = `
    const { Interruption } = await import(${JSON.stringify(MODULE)});
    const interruption = new Interruption(0);
    const alive = setInterval(() => {}, 1000);
    interruption.signal.addEventListener('abort', () => {
      setTimeout(() => {
        clearInterval(alive);
        console.log('tidy');
        process.exitCode = interruption.status;
      }, ${tidying});
    });
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString();
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  for (const signal of signals) {
    child.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  const [status] = await closed;
  return `${text.replace('ready\n', '')}${status}`;
}

describe('cli/interruption', () => {
  it('lets the first signal tidy up, and gives the status that it stands for', async () => {
    expect(await interrupted(['SIGINT'], 0, 50)).to.equal('tidy\n0');
    expect(await interrupted(['SIGTERM'], 0, 50)).to.equal('tidy\n143');
    expect(await interrupted(['SIGHUP'], 0, 50)).to.equal('tidy\n129');
  });

  it('ends at once on the second, whatever is left to do', async () => {
    expect(await interrupted(['SIGINT', 'SIGINT'], 400, 60_000)).to.equal('130');
  });

  it('takes a signal that comes twice in a moment for one', async () => {
    expect(await interrupted(['SIGINT', 'SIGINT'], 20, 300)).to.equal('tidy\n0');
  });

  it('waits for the tidying no longer than two seconds', async () => {
    expect(await interrupted(['SIGTERM'], 0, 60_000)).to.equal('143');
  });
});
