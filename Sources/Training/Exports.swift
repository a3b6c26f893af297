// Types of this module are in the signatures of Training: who imports Training can name them.
@_exported import CharacterModel
