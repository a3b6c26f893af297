@_exported import RecurrentNetwork
@_exported import Tokenization

// Types of these modules are in the signatures of this one: who imports CharacterModel can name them.
@_exported import enum LinearAlgebra.Nonlinearity
@_exported import enum LinearAlgebra.Precision
