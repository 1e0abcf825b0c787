/**
 * A PDF, read and drawn by pdf.js in two workers of its own that go with it. It comes when one is opened, and is all that ever sees the
 * bytes: no script of a file runs, no link of it is followed, nothing is fetched for it but our own files.
 */

import { AnnotationMode, getDocument, GlobalWorkerOptions, PDFWorker, type PDFDocumentProxy, type RenderTask, version } from 'pdfjs-dist/legacy/build/pdf.mjs';
import dingbats from 'pdfjs-dist/standard_fonts/FoxitDingbats.pfb?inline';
import symbol from 'pdfjs-dist/standard_fonts/FoxitSymbol.pfb?inline';

import { drawnPage } from '../domain/pdf.ts';
import { scriptUrl } from './scripts.ts';
import rendererUrl from './pdf.renderer.ts?worker&url';
import workerUrl from './pdf.worker.ts?worker&url';

/** Nothing is shown: why. */
export type PdfFault = 'password' | 'damaged' | 'slow' | 'unavailable';

/** What one step may take before the file is given up; a phone of some years draws a dense page in a few. Milliseconds. */
const STEP_MAX = 30_000;
/** What the reader has to put itself away before it is ended. Milliseconds. */
const END_MAX = 1_000;
/** A picture within a page, in pixels, and what is drawn for one, in bytes. */
const PICTURE_MAX = 32_000_000;
const CANVAS_MAX = 128_000_000;
/** What of a page is read aloud, in characters. */
const TEXT_MAX = 50_000;
/** Decoders of scanned pages, beside this file: `tools/shell.ts` puts them there. */
const DECODERS = `/assets/pdf-${version}/`;
/** Signs that phones lack, of files that do not bring them along: ticked boxes and Greek letters. All other fonts are the phone's. */
const FONTS: Readonly<Record<string, string>> = { 'FoxitDingbats.pfb': dingbats, 'FoxitSymbol.pfb': symbol };

/** A step took too long. */
class Slow extends Error {
  override readonly name = 'Slow';
}

/** The reader's own files could not be had. */
class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** What the reader asks for by name: two fonts are here, nothing else is. */
class OwnFonts {
  fetch({ filename }: { readonly filename: string }): Promise<Uint8Array> {
    const font = FONTS[filename];
    if (font === undefined) return Promise.reject(new Error('not brought along'));
    return Promise.resolve(Uint8Array.from(atob(font.slice(font.indexOf(',') + 1)), (letter) => letter.charCodeAt(0)));
  }
}

export class Pdf {
  readonly #document: PDFDocumentProxy;
  readonly #end: () => void;
  #drawing: RenderTask | null = null;
  /** Which page was asked for last. */
  #asked = 0;

  private constructor(document: PDFDocumentProxy, end: () => void) {
    this.#document = document;
    this.#end = end;
  }

  get pages(): number {
    return this.#document.numPages;
  }

  /** The bytes are handed over: afterwards they are in the reader alone. */
  static async open(bytes: ArrayBuffer, stop: AbortSignal): Promise<Pdf | PdfFault> {
    const workers: Worker[] = [];
    let destroy = (): Promise<void> => Promise.resolve();
    const end = (): void => {
      void within(destroy(), END_MAX).catch(() => undefined).then(() => workers.forEach((worker) => worker.terminate()));
    };
    try {
      const reader = begin(workerUrl, workers);
      await within(ready(reader), STEP_MAX);
      // Where it cannot be had, or an older browser has no canvas for it, the page itself draws.
      GlobalWorkerOptions.rendererPorts = typeof OffscreenCanvas === 'undefined' ? [] : [begin(rendererUrl, workers)];
      const task = getDocument({
        data: new Uint8Array(bytes),
        worker: PDFWorker.create({ port: reader, verbosity: 0 }),
        verbosity: 0,
        BinaryDataFactory: OwnFonts,
        wasmUrl: DECODERS,
        // The page's policy runs none.
        useWasm: false,
        useWorkerFetch: false,
        useSystemFonts: true,
        enableXfa: false,
        maxImageSize: PICTURE_MAX,
        canvasMaxAreaInBytes: CANVAS_MAX,
      });
      destroy = () => task.destroy();
      stop.addEventListener('abort', end);
      const document = await within(task.promise, STEP_MAX);
      stop.removeEventListener('abort', end);
      return new Pdf(document, end);
    } catch (error) {
      stop.removeEventListener('abort', end);
      end();
      return faultOf(error);
    }
  }

  /** One page on a canvas of its own, and what is written on it; null when another was asked for meanwhile. */
  async draw(number: number, room: number, zoom: number): Promise<{ canvas: HTMLCanvasElement; text: string } | PdfFault | null> {
    this.#drawing?.cancel();
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const page = await within(this.#document.getPage(number), STEP_MAX);
      if (asked !== this.#asked) return null;
      const { width, height } = page.getViewport({ scale: 1 });
      const { scale, drawn, shown } = drawnPage({ width, height }, room, zoom, devicePixelRatio);
      const canvas = document.createElement('canvas');
      canvas.width = drawn.width;
      canvas.height = drawn.height;
      canvas.style.inlineSize = `${shown.width}px`;
      canvas.style.blockSize = `${shown.height}px`;
      // Fields that were filled in are drawn as they stand; nothing of them can be touched.
      const drawing = page.render({ canvas, viewport: page.getViewport({ scale }), annotationMode: AnnotationMode.ENABLE });
      this.#drawing = drawing;
      await within(drawing.promise, STEP_MAX);
      const text = textOf(await within(page.getTextContent(), STEP_MAX));
      if (asked !== this.#asked) return null;
      page.cleanup();
      return { canvas, text };
    } catch (error) {
      if (asked !== this.#asked) return null;
      this.close();
      return faultOf(error);
    }
  }

  close(): void {
    this.#asked += 1;
    this.#drawing?.cancel();
    this.#end();
  }
}

function begin(url: string, workers: Worker[]): Worker {
  const worker = new Worker(scriptUrl(url), { type: 'module' });
  workers.push(worker);
  return worker;
}

/** It says so itself, once it is there. */
function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.addEventListener('message', () => resolve(), { once: true });
    worker.addEventListener('error', () => reject(new Unavailable()), { once: true });
  });
}

function within<Value>(step: Promise<Value>, most: number): Promise<Value> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Slow()), most)));
  return Promise.race([step, late]).finally(() => clearTimeout(timer));
}

function faultOf(error: unknown): PdfFault {
  const name = error instanceof Error ? error.name : '';
  return name === 'PasswordException' ? 'password' : name === 'Slow' ? 'slow' : name === 'Unavailable' ? 'unavailable' : 'damaged';
}

/** The page's words in the order of the file, line by line. */
function textOf({ items }: Awaited<ReturnType<Awaited<ReturnType<PDFDocumentProxy['getPage']>>['getTextContent']>>): string {
  let text = '';
  for (const item of items) {
    if ('str' in item) text += item.str + (item.hasEOL ? '\n' : '');
    if (text.length > TEXT_MAX) break;
  }
  return text.slice(0, TEXT_MAX).trim();
}
