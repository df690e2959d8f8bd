/** The code blocks of a script: sampled at their time, run when it is over, in order and in one namespace. */
import { parseCode, type Statement } from './code-parser.ts';
import { Namespace } from './code-run.ts';
import { PythonFeature, ScriptFailure } from './errors.ts';
import type { CodeBlock, Python } from './python.ts';
import { CODE_CONSTANTS } from './symbols.ts';

interface Block extends CodeBlock {
  /** A PythonFeature: more than the built-in evaluator has. */
  readonly statements: readonly Statement[] | PythonFeature;
}

/** Does the work, and says of what it throws which line it belongs to. */
type At = (line: number, work: () => void) => void;

export class CodeBlocks {
  readonly #name: string;
  readonly #python: Python | undefined;
  readonly #log: (line: string) => void;
  readonly #blocks: Block[] = [];

  /** @param name of the script */
  constructor(name: string, python: Python | undefined, log: (line: string) => void) {
    this.#name = name;
    this.#python = python;
    this.#log = log;
  }

  /** @param values of TCP_INFO now @throws ScriptSyntaxError */
  add(line: number, code: string, values: Readonly<Record<string, number>>): void {
    this.#blocks.push({ line, code, values, statements: this.#parse(line, code) });
  }

  /** @throws ScriptFailure, UnsupportedFeature, by way of `at` */
  run(at: At): void {
    const foreign = this.#blocks.find(({ statements }) => statements instanceof PythonFeature);
    if (foreign !== undefined) return this.#runPython(foreign.statements as PythonFeature, at);
    const namespace = new Namespace(CODE_CONSTANTS);
    for (const { line, statements, values } of this.#blocks) {
      at(line, () => namespace.run(statements as readonly Statement[], values));
      for (const text of namespace.printed.splice(0)) this.#log(text);
    }
  }

  #parse(line: number, code: string): readonly Statement[] | PythonFeature {
    try {
      return parseCode(this.#name, line, code);
    } catch (error) {
      if (error instanceof PythonFeature) return error;
      throw error;
    }
  }

  /** All blocks, as they share their names. */
  #runPython(why: PythonFeature, at: At): void {
    const result = this.#python?.(CODE_CONSTANTS, this.#blocks);
    if (result === undefined) throw why;
    for (const text of result.printed) this.#log(text);
    const { failure } = result;
    if (failure === undefined) return;
    at(failure.line, () => {
      throw new ScriptFailure(failure.message);
    });
  }
}
