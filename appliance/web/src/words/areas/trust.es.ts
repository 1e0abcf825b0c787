import type { trustEn } from './trust.en.ts';

/** How to trust the facility root by hand, in Spanish. */
export const trustEs: typeof trustEn = {
  trusted: 'Este dispositivo confía en la caja. Aquí no hay nada que hacer.',
  known: 'Esta dirección tiene un certificado que este dispositivo ya conocía. Aquí no hay nada que hacer, ni nada que instalar en otro teléfono: basta la dirección.',
  why: 'La caja de Wardline se acredita con un certificado de este centro. A un dispositivo que no gestiona informática hay que decirle una vez que puede creerlo.',
  paper: 'Necesita el papel con el código: junto al código figura el SHA-256 del certificado del centro.',
  forged: 'Mientras su dispositivo no confíe en la caja, esta página puede ser de cualquiera, y también el número de abajo. Lo que cuenta es el número que muestra el propio dispositivo, en los pasos siguientes: tiene que ser el del papel. Si no lo es, no instale nada y avise a informática.',
  sha: 'SHA-256, según esta página',
  none: 'Esta caja no entrega aquí su certificado. Pida el archivo a informática; los pasos son los mismos.',
  asking: 'Preguntando a la caja…',
  platform: 'Este dispositivo',
  platforms: { apple: 'iPhone, iPad', android: 'Android', windows: 'Windows', mac: 'Mac', firefox: 'Firefox' },
  get: { apple: 'Obtener el perfil', android: 'Obtener el certificado', windows: 'Obtener el certificado', mac: 'Obtener el certificado', firefox: 'Obtener el certificado' },
  steps: {
    apple: [
      'En Safari, toque arriba «Obtener el perfil» y luego «Permitir».',
      'Abra Ajustes y toque «Perfil descargado». Si no aparece: General y «VPN y gestión de dispositivos».',
      'Toque «Más detalles» y el certificado. Compare su SHA-256 con el papel. ¿No es igual? Toque «Eliminar perfil descargado» y avise a informática.',
      'Toque «Instalar» y escriba el código del dispositivo.',
      'Ajustes, General, Información, abajo del todo «Ajustes de confianza de los certificados»: active el certificado del centro. Sin este paso no funciona nada.',
      'Vuelva a cargar esta página. Dirá que este dispositivo confía en la caja.',
    ],
    android: [
      'En Chrome, toque arriba «Obtener el certificado» y guarde el archivo.',
      'Abra Ajustes y busque «Certificado de CA». En la mayoría de los dispositivos está en Seguridad, «Más ajustes de seguridad», «Instalar desde el almacenamiento».',
      'Toque «Instalar de todos modos» y elija el archivo facility-root.crt. Android avisa de que la red puede estar vigilada: lo dice de todo certificado que se instala a mano.',
      'Busque en Ajustes «Credenciales de confianza», toque «Usuario» y el certificado del centro. Compare su SHA-256 con el papel. ¿No es igual? Quítelo allí y avise a informática.',
      'Vuelva a cargar esta página. Dirá que este dispositivo confía en la caja. Use Chrome: Firefox en Android no lo acepta por sí solo.',
    ],
    windows: [
      'Haga clic arriba en «Obtener el certificado» y guarde el archivo.',
      'Abra un símbolo del sistema en la carpeta del archivo y escriba: certutil -hashfile facility-root.crt SHA256. Compare lo que dice con el papel. ¿No es igual? Borre el archivo y avise a informática.',
      'Haga doble clic en el archivo, luego en «Instalar certificado» y en «Usuario actual».',
      'Elija «Colocar todos los certificados en el siguiente almacén», «Examinar», «Entidades de certificación raíz de confianza». Después Siguiente y Finalizar, y Sí a la advertencia.',
      'Cierre el navegador y ábralo otra vez. Esta página dirá que este dispositivo confía en la caja. Firefox tiene sus propios pasos.',
    ],
    mac: [
      'Haga clic arriba en «Obtener el certificado» y abra el archivo: Acceso a Llaveros lo guarda en «inicio de sesión».',
      'Haga allí doble clic en el certificado del centro. Compare su SHA-256, al final de los detalles, con el papel. ¿No es igual? Elimínelo y avise a informática.',
      'Abra «Confiar» en la misma ventana y elija «Confiar siempre». Cierre la ventana y escriba su contraseña.',
      'Cierre el navegador y ábralo otra vez. Esta página dirá que este dispositivo confía en la caja. Firefox tiene sus propios pasos.',
    ],
    firefox: [
      'Haga clic arriba en «Obtener el certificado» y guarde el archivo.',
      'Abra los Ajustes de Firefox, «Privacidad y seguridad», abajo «Ver certificados», «Autoridades», «Importar», y elija el archivo.',
      'Haga clic en «Ver» y compare el SHA-256 con el papel. ¿No es igual? Cancele y avise a informática.',
      'Marque «Confiar en esta CA para identificar sitios web» y acepte.',
      'Vuelva a cargar esta página. Dirá que este dispositivo confía en la caja.',
    ],
  },
  back: 'Para deshacerlo: el mismo lugar de los ajustes, y quite allí el certificado.',
};
