/** python3, for code blocks that need it; a script that does not never starts one. */
import { spawnSync } from 'node:child_process';
import type { CodeBlock, PythonResult } from '../packetdrill/python.ts';

/** Reads `[constants, blocks]` as JSON; prints; the last line of stderr says where and why it failed. */
const PROGRAM = `
import json, sys, textwrap, traceback
constants, blocks = json.load(sys.stdin)
space = dict(constants)
for block in blocks:
    space.update(block['values'])
    first, newline, rest = block['code'].partition('\\n')
    code = first.strip() + newline + rest if first.strip() else textwrap.dedent(rest)
    try:
        exec(compile(code, 'code', 'exec'), space)
    except BaseException as error:
        text = str(error)
        if isinstance(error, AssertionError):
            at = traceback.extract_tb(error.__traceback__)[-1].lineno
            line = code.splitlines()[at - 1].strip()
            text = line + ' does not hold' + (' (' + text + ')' if text else '')
        else:
            text = type(error).__name__ + ': ' + text
        print(json.dumps({'line': block['line'], 'message': text}), file=sys.stderr)
        sys.exit(1)
`;

/** @returns undefined when there is no python3 */
export function python3(
  constants: Readonly<Record<string, number>>,
  blocks: readonly CodeBlock[],
): PythonResult | undefined {
  const input = JSON.stringify([constants, blocks.map(({ line, code, values }) => ({ line, code, values }))]);
  const { error, status, stdout, stderr } = spawnSync('python3', ['-c', PROGRAM], { input, encoding: 'utf8' });
  if (error !== undefined) return undefined;
  const printed = stdout === '' ? [] : stdout.trimEnd().split('\n');
  if (status === 0) return { printed };
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  const failure = last.startsWith('{')
    ? (JSON.parse(last) as { line: number; message: string })
    : { line: 1, message: last };
  return { printed, failure };
}
