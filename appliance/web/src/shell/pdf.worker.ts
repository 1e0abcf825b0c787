/** Reads a PDF. */
import './pdf.sealed.ts';
import 'pdfjs-dist/legacy/build/pdf.worker.mjs';
