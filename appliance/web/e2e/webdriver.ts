/** WebDriver as far as a test of WebKit has to speak it (https://www.w3.org/TR/webdriver2/): one session, its elements found by XPath. */

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
const PATIENCE_MS = 30_000;

export class WebDriver {
  readonly #base: string;
  #session = '';

  constructor(port: number) {
    this.#base = `http://127.0.0.1:${port}`;
  }

  /** Rejects where the driver cannot start its browser. */
  async begin(capabilities: object): Promise<object> {
    const { sessionId, capabilities: made } = (await this.#ask('POST', '/session', { capabilities: { alwaysMatch: capabilities } })) as { sessionId: string; capabilities: object };
    this.#session = `/session/${sessionId}`;
    return made;
  }

  end(): Promise<unknown> {
    return this.#ask('DELETE', this.#session);
  }

  go(url: string): Promise<unknown> {
    return this.#ask('POST', `${this.#session}/url`, { url });
  }

  reload(): Promise<unknown> {
    return this.#ask('POST', `${this.#session}/refresh`, {});
  }

  run(script: string): Promise<unknown> {
    return this.#ask('POST', `${this.#session}/execute/sync`, { script, args: [] });
  }

  /** A picture, as PNG. */
  async picture(): Promise<Buffer> {
    return Buffer.from(String(await this.#ask('GET', `${this.#session}/screenshot`)), 'base64');
  }

  async press(name: string): Promise<void> {
    const named = `normalize-space(.)=${quoted(name)} or @aria-label=${quoted(name)}`;
    await this.#again(async () => this.#ask('POST', `${await this.#find(`//button[not(@disabled)][${named}]`)}/click`, {}));
  }

  async pressText(text: string): Promise<void> {
    await this.#again(async () => this.#ask('POST', `${await this.#find(`//button[contains(., ${quoted(text)})]`)}/click`, {}));
  }

  async fill(label: string, text: string): Promise<void> {
    await this.#again(async () => {
      const field = await this.#find(`//*[@id=//label[normalize-space(.)=${quoted(label)}]/@for] | //*[@aria-label=${quoted(label)}] | //label[normalize-space(.)=${quoted(label)}]//input`);
      await this.#ask('POST', `${field}/value`, { text });
    });
  }

  /** Waits until it stands there, in sight. */
  async sees(text: string): Promise<void> {
    await this.#again(async () => {
      const shown = await this.run('return document.body.innerText.replace(/[\\u2066-\\u2069]/g, "")');
      if (!String(shown).includes(text)) throw new Error(`${text} is not there: ${String(shown).slice(0, 300)}`);
    });
  }

  /** The last that is there: what came last is lowest. */
  async #find(path: string): Promise<string> {
    const found = (await this.#ask('POST', `${this.#session}/elements`, { using: 'xpath', value: path })) as Record<string, string>[];
    const shown: string[] = [];
    for (const one of found) {
      const element = `${this.#session}/element/${one[ELEMENT] ?? ''}`;
      if ((await this.#ask('GET', `${element}/displayed`)) === true) shown.push(element);
    }
    const last = shown.at(-1);
    if (last === undefined) throw new Error(`nothing at ${path}`);
    return last;
  }

  /** What is not there may come; what moved may stand still. */
  async #again<T>(act: () => Promise<T>): Promise<T> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(this.#base + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const { value } = (await answer.json()) as { value: unknown };
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  }
}

/** XPath 1.0 has no escape: a text with a quote is put together. */
function quoted(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`;
}
