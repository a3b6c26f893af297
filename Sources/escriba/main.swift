import Commands

Escriba.main()
