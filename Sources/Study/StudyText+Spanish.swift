extension StudyText {
    public static let spanish = StudyText(
        language: "es",
        sentences: [
            .title: "Redes recurrentes, medidas",
            .lead: "Lo que una clase dice de las redes recurrentes, probado con {0}: {1} caracteres, {2} distintos.",
            .about: """
            Todos los números los midió este programa en esta máquina con {0} hilos, en un estudio de tamaño «{1}». El nat por símbolo \
            mide la sorpresa: 0 si se prevé cada carácter, {2} si todos son igual de probables. Cuanto menos, mejor.
            """,
            .claim: "Qué se dice", .experiment: "Qué se hizo", .byHand: "Para repetirlo a mano",
            .verdict: "Qué resultó",
            .data: "Datos", .chart: "gráfico", .nothing: "nada que mostrar", .from: "de", .to: "a", .by: "según",
            .table: "La tabla de abajo tiene los valores", .keys: "las flechas los leen",
            .grouping: "\u{202F}", .notMeasured: "No se midió.", .order0: "solo las frecuencias",
            .unlimited: "sin límite",
            .cell: "celda", .units: "unidades", .parameters: "parámetros", .memory: "memoria, MB",
            .training: "entrenamiento, símbolos/s", .sampling: "generación, símbolos/s",
            .symbolsPerSecond: "símbolos por segundo",
            .nats: "nats", .natsPerSymbol: "nats por símbolo", .lag: "símbolos hacia atrás", .text: "texto",
            .all: "todo",
            .passes: "pasadas por el texto", .trainingLoss: "entrenamiento", .validationLoss: "validación",
            .norm: "norma del gradiente, logarítmica", .step: "paso", .threads: "hilos", .lanes: "carriles",
            .rate: "tasa de aprendizaje", .contextLength: "símbolos que puede ver",
            .equalUnits: "con el mismo número de unidades", .equalParameters: "con el mismo número de parámetros",
            .trained: "entrenada",
            .untrained: "sin entrenar", .clipped: "recortado a 0.25", .unclipped: "sin recortar", .none: "sin nada",
            .dropout: "dropout 0.5", .both: "dropout y DropConnect 0.5", .lecture: "la clase",
            .measured: "lo medido aquí",

            .contextTitle: "El contexto importa",
            .contextClaim:
                "Lo que sigue depende de lo anterior, y una red recurrente puede usarlo todo: su estado es una memoria del texto leído hasta ahora.",
            .contextExperiment:
                "Cada red predice los mismos 1000 caracteres, pero su estado se pone a cero k caracteres antes de cada uno. Las frecuencias solas (orden 0) se evalúan con todo el texto no visto.",
            .contextVerdict:
                "Solo las frecuencias: {0} nats. La LSTM que ve 8 caracteres: {1}; la que lo ve todo: {2}.",
            .contextHolds: "Se cumple: lo que está a más de 8 caracteres vale {0} nats.",
            .contextFails: "Apenas, con este tiempo de entrenamiento: lo que está a más de 8 caracteres vale {0} nats.",

            .flowTitle: "Los gradientes se desvanecen",
            .flowClaim:
                "Al volver atrás en el tiempo, el gradiente se multiplica por una matriz en cada paso. En una red simple (RNN) pronto desaparece; las puertas de LSTM y GRU lo dejan pasar.",
            .flowExperiment:
                "Para muchas predicciones, la norma del gradiente respecto al estado de tantos símbolos antes, con pesos iniciales (líneas tenues) y con pesos entrenados.",
            .flowVerdict:
                "Del gradiente de una red entrenada, {0} símbolos más atrás queda: RNN {1}, GRU {2}, LSTM {3}, minGRU {4}.",
            .flowHolds: "Se cumple: la red simple conserva menos que LSTM y GRU.",
            .flowFails: "Aquí no se cumple: la red simple no conserva claramente menos que GRU y LSTM.",

            .explosionTitle: "Los gradientes explotan, y recortarlos ayuda",
            .explosionClaim:
                "Los mismos productos pueden crecer, y un solo paso enorme destruye lo aprendido. Recortar la norma del gradiente lo evita.",
            .explosionExperiment:
                "Una red simple se entrena por descenso de gradiente con una tasa demasiado alta, una vez con el gradiente recortado a norma 0.25 y otra sin recortar. Si la pérdida explota, el programa vuelve a un estado anterior y reduce la tasa a la mitad.",
            .explosionVerdict:
                "Recortado: mayor norma antes de recortar {0}, recuperaciones: {1}, {2} nats al final. Sin recortar: mayor norma {3}, recuperaciones: {4}, {5} nats.",
            .explosionHolds: "Se cumple: solo sin recortar explotó la pérdida.",
            .explosionWorse: "Nada explotó con esta tasa, pero sin recortar aprende peor.",
            .explosionBoth: "La tasa es demasiado alta incluso recortando: también así explotó la pérdida.",
            .explosionFails: "Aquí no se cumple: nada explotó con esta tasa, y recortar no ayudó.",

            .recallTitle: "Dependencias largas",
            .recallClaim:
                "Una red simple olvida a los diez símbolos, más o menos; GRU y LSTM recuerdan durante más tiempo, y la LSTM más que ninguna.",
            .recallExperiment:
                "Líneas con una mayúscula, minúsculas al azar, un signo de interrogación y otra vez la misma mayúscula, k símbolos después de la primera. Solo la memoria puede darla; al azar se acierta una vez de cada ocho. Todas las celdas tienen el mismo número de parámetros y el mismo tiempo. Si el recuerdo falla aunque a la primera letra llega más de una diezmilésima del gradiente, no se aprendió en el tiempo dado; si llega menos, apenas se puede aprender. «Hasta k» significa que se recuerdan nueve de cada diez.",
            .recallNever: "{0}: ni siquiera a {1} símbolos ({2}).",
            .recallUpTo: "{0}: hasta {1} símbolos; a {2} ya no ({3}).",
            .recallAlways: "{0}: a todas las distancias, hasta {1} símbolos.",
            .recallForgets: "el gradiente ha desaparecido", .recallSlow: "no aprendido en el tiempo dado",
            .recallDiverged: "el entrenamiento divergió",

            .costTitle: "Lo que cuesta una celda",
            .costClaim:
                "Una LSTM cuesta más que una GRU, y ambas más que una red simple: por cada unidad, cuatro, tres y un producto del estado con una matriz.",
            .costExperiment:
                "Parámetros, memoria y velocidad con el mismo número de unidades y con el mismo número de parámetros. La generación es de un solo texto.",
            .costVerdict:
                "Con el mismo número de unidades, un símbolo le cuesta a la LSTM {0} veces lo que a la GRU, y a la GRU {1} veces lo que a la red simple.",
            .costHolds: "Se cumple.", .costFails: "Aquí no se cumple.",

            .dataTitle: "Capacidad expresiva y datos",
            .dataClaim:
                "La GRU es más sencilla y va mejor con poco texto; la LSTM es más expresiva y va mejor con mucho.",
            .dataExperiment:
                "Cada celda con el mismo número de parámetros, entrenada el mismo tiempo con el principio del texto y con todo el texto; cuenta la mejor validación sobre el final (la última décima parte, como mucho 200 000 caracteres), con el que ninguna se entrenó.",
            .dataVerdict:
                "Con el texto más corto la mejor es la {0} ({1} nats), luego la {2} ({3}); con todo el texto, la {4} ({5}), luego la {6} ({7}).",
            .dataHolds: "Es lo que la clase espera.",
            .dataClose: "Es lo que la clase espera, pero la diferencia es demasiado pequeña para estar seguros.",
            .dataFails: "La clase espera la GRU y luego la LSTM: aquí no se cumple.",

            .overfitTitle: "El sobreajuste, y qué ayuda",
            .overfitClaim:
                "Con poco texto la red se lo aprende de memoria: la pérdida del entrenamiento sigue bajando mientras sube la de un texto nuevo. Ayuda anular al azar salidas (dropout) o pesos recurrentes (DropConnect).",
            .overfitExperiment:
                "Una LSTM se entrena con los primeros 20 000 caracteres: sin nada, con dropout y con ambos.",
            .overfitVerdict:
                "De su mejor validación al final, la pérdida del texto nuevo sube {0} nats sin nada y {1} con ambos; las mejores validaciones son {2} y {3} nats.",
            .overfitHolds: "Se cumple.",
            .overfitFails:
                "Aquí no se cumple: el entrenamiento fue demasiado corto para sobreajustar, o dropout y DropConnect no ayudaron.",

            .rateTitle: "Los hiperparámetros son delicados",
            .rateClaim:
                "La tasa de aprendizaje decide si una red llega siquiera a aprender, y la mejor depende de su tamaño.",
            .rateExperiment:
                "Una GRU de cada anchura se entrena con cada tasa el mismo tiempo. Los números son nats por símbolo; cuanto más oscuro, mejor.",
            .rateVerdict:
                "Las mejores tasas, de estrecha a ancha: {0}. Una tasa equivocada cuesta hasta {1} nats frente a la mejor; una anchura equivocada, hasta {2}, cada una con su mejor tasa.",

            .rateInfinite: "Algunas no aprenden nada (∞).", .rateHolds: "Se cumple.",
            .rateSame: "La tasa decide, pero aquí la mejor es la misma para todas las anchuras.",
            .rateFails: "Aquí no se cumple: con todas las tasas se aprende casi igual.",

            .speedTitle: "La recurrencia se resiste al trabajo en paralelo",
            .speedClaim:
                "Cada paso necesita el anterior, así que el tiempo no se puede repartir entre procesadores; solo los textos que se leen a la vez (carriles).",
            .speedExperiment: "La velocidad del entrenamiento según los hilos y los carriles.",
            .speedVerdict: "De 1 a {0} hilos la velocidad crece {1} veces con {2} carriles y {3} veces con {4}.",
            .speedHolds: "Se cumple: cuantos menos carriles, menos ayudan los hilos.",
            .speedFails: "Aquí no se cumple: los hilos ayudan igual con pocos carriles.",
            .speedAlone: "Hubo un solo hilo, así que no hay nada que comparar.",

            .whichTitle: "Qué celda y cuándo",
            .whichLead: "El consejo de la clase, junto a lo medido.",
            .whichSimple: "RNN simple: secuencias cortas, tareas sencillas",
            .whichModerate: "GRU: secuencias medianas, respuesta rápida, pocos datos",
            .whichLong: "LSTM: dependencias largas e intrincadas",
            .whichShort: "recuerda hasta {0} símbolos; {1} nats con todo el texto, la mejor celda {2}",
            .whichFast:
                "recuerda hasta {0} símbolos; {1} nats con el texto más corto, {2} con todo; genera {3} símbolos/s",
        ])
}
